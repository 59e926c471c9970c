package dev.kvorum.raft.script;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

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

  @Test
  void whatIsNoScriptFailsAndKeepsNoOtherFromBeingPlayed(@TempDir Path directory) throws IOException {
    Files.copy(RaftScripts.scriptsIn(OURS).getFirst(), directory.resolve("good.txt"));
    assertThat(exit(directory)).isZero();
    Files.writeString(directory.resolve("empty.txt"), "# nothing\n");
    assertThat(exit(directory)).isEqualTo(1);
    Files.delete(directory.resolve("empty.txt"));
    Files.writeString(directory.resolve("broken.txt"), "propose (1\n----\nok\n");
    assertThat(exit(directory)).isEqualTo(1);
    Files.write(directory.resolve("broken.txt"), new byte[] {(byte) 0xFF, (byte) 0xFE, '\n'});
    assertThat(exit(directory)).isEqualTo(1);
    assertThat(exit(directory, "--bogus")).isEqualTo(2);
    assertThat(exit(directory, directory.resolve("nowhere").toString())).isEqualTo(2);
  }

  private static int exit(Path directory, String... more) throws IOException {
    List<String> arguments = new ArrayList<>(List.of(directory.toString()));
    arguments.addAll(List.of(more));
    return RaftScripts.run(arguments, new PrintStream(OutputStream.nullOutputStream()));
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
