package dev.kvorum.bolt.tool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.sim.SimDisk;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The commands of `bin/bolt`.
class BoltToolTest {
  private final SimDisk disk = new SimDisk();
  private String out = "";
  private String err = "";

  private int run(String input, String... words) {
    ByteArrayOutputStream stdout = new ByteArrayOutputStream();
    ByteArrayOutputStream stderr = new ByteArrayOutputStream();
    int status = new BoltTool(disk, new ByteArrayInputStream(input.getBytes(UTF_8)),
        new PrintStream(stdout, true, UTF_8), new PrintStream(stderr, true, UTF_8)).run(List.of(words));
    out = stdout.toString(UTF_8);
    err = stderr.toString(UTF_8);
    return status;
  }

  private static final String SCRIPT =
      """
      bucket 6b6579 7
      put 6b6579 61 3130
      put 6b6579 62 -
      bucket 6b6579/6e
      put 6b6579/6e 00ff 01
      bucket 7a
      commit
      put 6b6579 63 33
      delete 6b6579 61
      drop 7a
      """;

  private void make() {
    assertThat(run(SCRIPT, "edit", "/db", "--create", "--page-size=1024", "--sync-freelist")).isZero();
    assertThat(out).isEqualTo("Committed 2 transactions.\n");
  }

  @Test
  void whatWasToldToEditIsExportedAndRead() {
    make();
    assertThat(run("", "export", "/db")).isZero();
    assertThat(out).isEqualTo(
        """
        bucket 6b6579 7
        put 6b6579 62 -
        put 6b6579 63 33
        bucket 6b6579/6e 0
        put 6b6579/6e 00ff 01
        """);
    String exported = out;
    assertThat(run(exported, "edit", "/other", "--create")).isZero();
    run("", "export", "/other");
    assertThat(out).isEqualTo(exported);
    assertThat(run("", "buckets", "/db")).isZero();
    assertThat(out).isEqualTo("key\n");
    assertThat(run("", "keys", "/db", "key", "n")).isZero();
    assertThat(out).isEqualTo("00ff\n");
    assertThat(run("", "get", "/db", "key", "n", "0x00ff")).isZero();
    assertThat(out).isEqualTo("01\n");
    assertThat(run("", "get", "/db", "key", "nothing")).isEqualTo(1);
    assertThat(err).isEqualTo("Error: key not found\n");
  }

  @Test
  void aDirectoryIsNamedAndNotRead() throws Exception {
    disk.createDirectories(Path.of("/snap"));
    for (String command :
        List.of(
            "check /snap",
            "export /snap",
            "edit /snap",
            "salvage /snap --output /out",
            "compact /snap -o /out",
            "surgery meta validate /snap",
            "surgery revert-meta-page /snap --output /out")) {
      assertThat(run("", command.split(" "))).as(command).isEqualTo(1);
      assertThat(err).as(command).isEqualTo("Error: \"/snap\" is a directory and no database file\n");
    }
    assertThat(disk.exists(Path.of("/out"))).isFalse();
  }

  @Test
  void aSoundFileIsCheckedListedAndCopied() {
    make();
    assertThat(run("", "check", "/db")).isZero();
    assertThat(out).isEqualTo("OK\n");
    assertThat(run("", "info", "/db")).isZero();
    assertThat(out).startsWith("Page Size: 1024\n").contains("Transaction: 3\n");
    assertThat(run("", "pages", "/db")).isZero();
    assertThat(out).startsWith(
        """
        ID       TYPE       ITEMS  OVRFLW
        ======== ========== ====== ======
        0        meta       0           \s
        1        meta       0           \s
        """);
    assertThat(out).contains("freelist").contains("leaf");
    for (String[] command : new String[][] {
      {"compact", "-o", "/a", "/db"},
      {"surgery", "revert-meta-page", "/db", "--output", "/b"},
      {"surgery", "freelist", "abandon", "/db", "--output=/c"},
      {"surgery", "freelist", "rebuild", "/c", "--output=/d"},
      {"salvage", "--output", "/e", "/db"},
      {"surgery", "meta", "validate", "/db"}
    }) {
      assertThat(run("", command)).as(err).isZero();
      assertThat(err).isEmpty();
    }
    for (String copy : List.of("/a", "/b", "/c", "/d", "/e")) {
      assertThat(run("", "check", copy)).isZero();
    }
    run("", "export", "/db");
    String exported = out;
    for (String copy : List.of("/a", "/c", "/d", "/e")) {
      run("", "export", copy);
      assertThat(out).as(copy).isEqualTo(exported);
    }
    run("", "export", "/b");
    assertThat(out).contains("put 6b6579 61 3130\n").contains("bucket 7a 0\n");
  }

  @Test
  void aBrokenFileIsToldOfAndTheExitStatusSaysSo() throws Exception {
    make();
    run("", "pages", "/db");
    long leaf = out.lines().filter(line -> line.contains("leaf")).mapToLong(line -> Long.parseLong(line.split(" ")[0]))
        .max().orElseThrow();
    disk.rot(Path.of("/db"), leaf * 1024 + 8, 0x40);
    assertThat(run("", "check", "/db")).isEqualTo(1);
    assertThat(out).contains("invalid type").endsWith("errors found\n");
    assertThat(run("", "export", "/db")).isEqualTo(1);
    assertThat(err).contains("/db at offset " + leaf * 1024);
    assertThat(run("", "salvage", "/db", "--output", "/s")).isEqualTo(1);
    assertThat(out).contains("offset " + leaf * 1024).contains("Not all could be read.");
    disk.rot(Path.of("/db"), 20, 1);
    assertThat(run("", "surgery", "meta", "validate", "/db")).isEqualTo(1);
    assertThat(out).contains("The meta page 0 is invalid: version mismatch").contains("The meta page 1 is valid!");
  }

  @Test
  void whatIsNoCommandIsExplained() {
    assertThat(run("", "frobnicate")).isEqualTo(1);
    assertThat(err).isEqualTo("Error: unknown command \"frobnicate\" for \"bolt\"\nRun 'bolt --help' for usage.\n");
    assertThat(run("", "check")).isEqualTo(1);
    assertThat(err).contains("accepts 1 arg(s), received 0");
    assertThat(run("", "check", "/nothing")).isEqualTo(1);
    assertThat(err).isEqualTo("Error: database file \"/nothing\" doesn't exist\n");
    assertThat(run("", "surgery", "revert-meta-page", "/db")).isEqualTo(1);
    assertThat(err).contains("required flag(s) \"output\" not set");
    assertThat(run("", "surgery")).isEqualTo(1);
    assertThat(run("", "check", "/db", "--frob")).isEqualTo(1);
    assertThat(err).contains("unknown flag: --frob");
    assertThat(run("put 61 zz 00\n", "edit", "/new", "--create")).isEqualTo(1);
    assertThat(err).contains("no bucket 61");
    assertThat(run("bucket 6\n", "edit", "/new")).isEqualTo(1);
    assertThat(err).contains("line 1: ");
    assertThat(run("", "edit", "/new", "--page-size", "1000")).isEqualTo(1);
    assertThat(err).contains("pageSize 1000");
    make();
    assertThat(run("", "compact", "-o", "/db", "/db")).isEqualTo(1);
    assertThat(err).isEqualTo("Error: output file \"/db\" exists already\n");
    assertThat(run("", "check", "/db")).isZero();
    assertThat(run("", "--help")).isZero();
    assertThat(out).contains("bolt salvage FILE --output OUTPUT");
  }
}
