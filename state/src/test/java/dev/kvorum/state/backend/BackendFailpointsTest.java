package dev.kvorum.state.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.env.Failpoint;
import dev.kvorum.env.RealDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Failpoints stand where harnesses written for etcd expect them.
class BackendFailpointsTest {
  @TempDir Path directory;
  private final List<Failpoint> reached = new ArrayList<>();
  private final Set<Failpoint> failing = EnumSet.noneOf(Failpoint.class);

  private Backend open() throws Exception {
    return Backend.open(
        new RealDisk(),
        directory.resolve("db"),
        BoltOptions.defaults().withNoSync(true),
        point -> {
          reached.add(point);
          return failing.contains(point) ? "planted" : null;
        });
  }

  @Test
  void aCommitPassesThemInOrder() throws Exception {
    try (Backend backend = open()) {
      backend.write(backend.take()).discard();
    }
    assertThat(reached)
        .containsExactly(
            Failpoint.BEFORE_START_DB_TXN,
            Failpoint.AFTER_START_DB_TXN,
            Failpoint.BEFORE_WRITEBACK_BUF,
            Failpoint.COMMIT_BEFORE_PRE_COMMIT_HOOK,
            Failpoint.COMMIT_AFTER_PRE_COMMIT_HOOK,
            Failpoint.AFTER_WRITEBACK_BUF,
            Failpoint.BEFORE_COMMIT,
            Failpoint.AFTER_COMMIT);
  }

  @Test
  void aDefragmentationThatIsMadeToFailLeavesTheOldFileInUse() throws Exception {
    for (Failpoint point :
        List.of(
            Failpoint.DEFRAG_OPEN_FILE_ERROR,
            Failpoint.DEFRAG_BEFORE_COPY,
            Failpoint.DEFRAG_DB_FAIL,
            Failpoint.DEFRAG_BEFORE_RENAME)) {
      failing.add(point);
      try (Backend backend = open()) {
        assertThatIOException()
            .isThrownBy(() -> backend.beginDefragmentation().step(1_000, 1 << 20))
            .withMessage("planted");
        backend.write(backend.take()).discard();
      }
      failing.clear();
      assertThat(reached).contains(point);
      try (var files = Files.list(directory)) {
        assertThat(files.map(file -> file.getFileName().toString())).containsExactly("db");
      }
    }
  }
}
