package dev.kvorum.bolt;

import dev.kvorum.env.Invariant;
import java.io.IOException;

/// A copy of one state into another, empty database: no free pages, all pages full. etcd's defragmentation.
///
/// It goes in bounded steps, so that its loop may serve others in between. The target is committed every 10,000 keys.
/// Sequences are not copied, as etcd does not.
public final class Compaction implements AutoCloseable {
  private Compaction() {}

  /// @param source stays open until the copy is done; closing it is the caller's
  /// @param target empty, used by nobody else meanwhile
  public static Compaction begin(ReadTx source, Bolt target) {
    throw Invariant.unreachable("engine under construction");
  }

  /// Copies at most `keysMax` elements. @return whether all is copied and committed
  public boolean step(int keysMax) throws IOException {
    throw Invariant.unreachable("engine under construction");
  }

  public long keysCopied() {
    throw Invariant.unreachable("engine under construction");
  }

  /// All at once.
  public static void copy(ReadTx source, Bolt target) throws IOException {
    try (Compaction compaction = begin(source, target)) {
      while (!compaction.step(10_000)) {
        // bounded by the keys of the source
      }
    }
  }

  /// Abandons an unfinished copy: the target holds a part, and is good for nothing but removal.
  @Override
  public void close() {
    throw Invariant.unreachable("engine under construction");
  }
}
