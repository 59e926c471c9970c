package dev.kvorum.raft.script;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Plays our scripts, and etcd raft's own where they are at hand beside the repository.
class RaftScriptsTest {
  private static final Path OURS = Path.of("src/test/resources/testdata");
  private static final Path ETCDS = Path.of("../../shared/conformance/raft");

  @TestFactory
  Stream<DynamicTest> ourScriptsGiveWhatTheySay() throws IOException {
    return tests(OURS);
  }

  @TestFactory
  Stream<DynamicTest> etcdsScriptsGiveWhatTheySay() throws IOException {
    assumeTrue(Files.isDirectory(ETCDS), "etcd raft's scripts are not beside this repository");
    return tests(ETCDS);
  }

  @Test
  void thereAreScriptsOfOurOwn() throws IOException {
    assertThat(RaftScripts.scriptsIn(OURS)).isNotEmpty();
  }

  private static Stream<DynamicTest> tests(Path root) throws IOException {
    List<Path> files = RaftScripts.scriptsIn(root);
    return files.stream().map(file -> DynamicTest.dynamicTest(root.relativize(file).toString(), () -> play(file)));
  }

  private static void play(Path file) throws IOException {
    Script.Verdict verdict = Script.read(file).run();
    assertThat(verdict.failure()).as(file.toString()).isNull();
    assertThat(verdict.passed()).isEqualTo(verdict.directives()).isPositive();
  }
}
