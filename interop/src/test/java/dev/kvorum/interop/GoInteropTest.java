package dev.kvorum.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.kvorum.interop.GoProgram.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Runs each package of Go tests under `interop/go` as one test; `interop/README.md` says what they
/// show. Skipped where there is no Go.
class GoInteropTest {
  private static Optional<GoProgram> go = Optional.empty();

  @BeforeAll
  static void buildTheRealPrograms() throws IOException, InterruptedException {
    go = GoProgram.find();
    if (go.isEmpty()) {
      return;
    }
    Path binaries = Repository.root().resolve("interop/target/go/bin");
    Files.createDirectories(binaries);
    run(
        "build",
        "-buildvcs=false",
        "-o",
        binaries + "/",
        "./cmd/etcd",
        "go.etcd.io/bbolt/cmd/bbolt",
        "go.etcd.io/etcd/etcdctl/v3",
        "go.etcd.io/etcd/etcdutl/v3");
    run("vet", "./...");
  }

  private static void run(String... arguments) throws IOException, InterruptedException {
    Result result = go.orElseThrow().run(line -> false, arguments);
    assertThat(result.status()).withFailMessage(result::text).isZero();
  }

  @TestFactory
  Stream<DynamicTest> everyGoPackagePasses() {
    assumeTrue(go.isPresent(), "Go is not installed");
    return Stream.of("harness", "differential", "ctl", "clientv3", "boltfiles", "datadir", "kill", "abuse")
        .map(name -> DynamicTest.dynamicTest(name, () -> passes(name)));
  }

  private static void passes(String name) throws IOException, InterruptedException {
    Result result =
        go.orElseThrow().run(GoInteropTest::worthShowing, "test", "-v", "-count=1", "-timeout=60m", "./" + name);
    if (result.status() != 0) {
      fail(result.text());
    }
  }

  /// Results, seeds and counts; what a failed test says is shown when it has ended.
  private static boolean worthShowing(String line) {
    return line.startsWith("---") || line.contains("KVORUM_") || line.startsWith("ok ") || line.startsWith("FAIL");
  }
}
