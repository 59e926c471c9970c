package dev.kvorum.env;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// What happens at each [Failpoint]: nothing, outside of tests.
@FunctionalInterface
public interface Failpoints {
  /// Production: a call that does nothing.
  Failpoints NONE = point -> null;

  /// Execution has come to `point`. May wait, or never return.
  ///
  /// @return what `point` is to fail with, null when it is to go on; places that cannot fail do not heed it
  @Nullable String reach(Failpoint point);

  /// The same, at a place where the disk may fail.
  default void reachDisk(Failpoint point) throws IOException {
    String failure = reach(point);
    if (failure != null) {
      throw new IOException(failure);
    }
  }
}
