package dev.kvorum.bolt.tool;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.kvorum.bolt.Bolt;
import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.bolt.BoltStats;
import dev.kvorum.bolt.Bucket;
import dev.kvorum.bolt.Checker;
import dev.kvorum.bolt.Compaction;
import dev.kvorum.bolt.Cursor;
import dev.kvorum.bolt.FileLockedException;
import dev.kvorum.bolt.PageTable;
import dev.kvorum.bolt.ReadTx;
import dev.kvorum.bolt.Salvage;
import dev.kvorum.bolt.SalvageReport;
import dev.kvorum.bolt.Surgery;
import dev.kvorum.bolt.tool.Arguments.UsageException;
import dev.kvorum.env.Disk;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.env.RealDisk;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/// The program behind `bin/bolt`. Commands, flags and answers are bbolt's where it has them; `salvage`, `export` and
/// `edit` are our own.
///
/// Exits 0 when all is well, and 1 when a check found something, a salvage lost something, or the command failed;
/// failures are told on stderr.
public final class BoltTool {
  private static final String USAGE =
      """
      bolt looks at, checks, copies and mends bbolt database files, such as etcd's member/snap/db.
      Nothing may have the file open for writing meanwhile. Copies go to files that do not exist yet.

      Usage:
        bolt check FILE                                      verify the integrity of all pages
        bolt info FILE                                       page size, transaction, pages in use
        bolt pages FILE                                      what each page is used for
        bolt buckets FILE                                    names of the top buckets
        bolt keys FILE BUCKET...                             keys of a bucket, nested ones named outermost first
        bolt get FILE BUCKET... KEY                          the value of a key
        bolt compact -o OUTPUT FILE                          a copy without free pages
        bolt surgery meta validate FILE                      are both meta pages valid?
        bolt surgery revert-meta-page FILE --output OUTPUT   a copy that goes back by one transaction
        bolt surgery freelist abandon FILE --output OUTPUT   a copy that keeps no list of free pages
        bolt surgery freelist rebuild FILE --output OUTPUT   a copy with a new list of free pages
        bolt salvage FILE --output OUTPUT [--strays]         all that can be read of a broken file, in a new one;
                                                             --strays: also keys from pages nothing points to, where
                                                             pages are lost (may be out of date, or deleted since)
        bolt export FILE                                     all buckets and keys as text
        bolt edit FILE [--create] [--page-size BYTES] [--sync-freelist]
                                                             changes a file as told on stdin, in export's format

      What is printable is printed as text, the rest in hexadecimal; buckets and keys may be given as 0x... .
      Exit status: 0 when all is well; 1 when something was found, lost or failed.
      """;

  private final Disk disk;
  private final InputStream in;
  private final PrintStream out;
  private final PrintStream err;

  BoltTool(Disk disk, InputStream in, PrintStream out, PrintStream err) {
    this.disk = disk;
    this.in = in;
    this.out = out;
    this.err = err;
  }

  public static void main(String[] arguments) {
    PrintStream out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), false, UTF_8);
    int status = new BoltTool(new RealDisk(), System.in, out, System.err).run(Arrays.asList(arguments));
    out.flush();
    System.exit(status);
  }

  /// @return the exit status
  int run(List<String> arguments) {
    try {
      return dispatch(arguments);
    } catch (UsageException e) {
      return failed(e.getMessage() + "\nRun 'bolt --help' for usage.");
    } catch (NoSuchFileException e) {
      return failed("database file \"" + e.getFile() + "\" doesn't exist");
    } catch (FileAlreadyExistsException e) {
      return failed("output file \"" + e.getFile() + "\" exists already");
    } catch (FileLockedException e) {
      return failed("timeout: the file is in use: " + e.getMessage());
    } catch (IOException | InvariantViolation e) {
      return failed(String.valueOf(e.getMessage()));
    }
  }

  private int failed(String message) {
    err.println("Error: " + message);
    return 1;
  }

  private int dispatch(List<String> words) throws IOException, UsageException {
    if (words.isEmpty() || words.contains("--help") || words.contains("-h") || words.getFirst().equals("help")) {
      out.print(USAGE);
      return 0;
    }
    List<String> rest = words.subList(1, words.size());
    return switch (words.getFirst()) {
      case "check" -> check(file(rest));
      case "info" -> info(file(rest));
      case "pages" -> pages(file(rest));
      case "buckets" -> buckets(file(rest));
      case "keys" -> keys(rest);
      case "get" -> get(rest);
      case "compact" -> compact(rest);
      case "surgery" -> surgery(rest);
      case "salvage" -> salvage(rest);
      case "export" -> export(file(rest));
      case "edit" -> edit(rest);
      default -> throw new UsageException("unknown command \"" + words.getFirst() + "\" for \"bolt\"");
    };
  }

  private static Path file(List<String> rest) throws UsageException {
    return Path.of(Arguments.parse(rest, List.of(), List.of()).words(1, 1).getFirst());
  }

  /// @throws IOException when `file` is a directory: the system tells of that without naming it
  private Path notDirectory(Path file) throws IOException {
    if (disk.isDirectory(file)) {
      throw new IOException("\"" + file + "\" is a directory and no database file");
    }
    return file;
  }

  private Bolt reading(Path file) throws IOException {
    return Bolt.open(disk, notDirectory(file), BoltOptions.reading());
  }

  private int check(Path file) throws IOException {
    try (Bolt bolt = reading(file); ReadTx tx = bolt.beginRead()) {
      List<String> findings = Checker.findings(tx);
      if (findings.isEmpty()) {
        out.println("OK");
        return 0;
      }
      findings.forEach(out::println);
      out.println(findings.size() + " errors found");
      return 1;
    }
  }

  private int info(Path file) throws IOException {
    try (Bolt bolt = reading(file); ReadTx tx = bolt.beginRead()) {
      BoltStats stats = bolt.stats();
      out.println("Page Size: " + stats.pageSize());
      out.println("Transaction: " + stats.txid());
      out.println("Pages: " + stats.pageCount());
      out.println("Freelist: " + (tx.hasFreelist() ? "in the file" : "none, found by a walk"));
      for (Surgery.MetaFinding meta : Surgery.metas(disk, file)) {
        out.println("Meta Page " + meta.page() + ": "
            + (meta.isValid() ? "valid, transaction " + meta.txid() : meta.flaw()));
      }
      return 0;
    }
  }

  private int pages(Path file) throws IOException {
    try (Bolt bolt = reading(file); ReadTx tx = bolt.beginRead()) {
      out.println("ID       TYPE       ITEMS  OVRFLW");
      out.println("======== ========== ====== ======");
      for (PageTable.Row row : PageTable.of(tx)) {
        boolean free = row.type().equals("free");
        out.println("%-8d %-10s %-6s %-6s".formatted(
            row.id(), row.type(), free ? "" : row.items(), row.overflow() == 0 ? "" : row.overflow()));
      }
      return 0;
    }
  }

  private int buckets(Path file) throws IOException {
    try (Bolt bolt = reading(file); ReadTx tx = bolt.beginRead()) {
      Cursor cursor = tx.cursor();
      while (cursor.next()) {
        out.println(text(cursor.key()));
      }
      return 0;
    }
  }

  private int keys(List<String> rest) throws IOException, UsageException {
    List<String> words = Arguments.parse(rest, List.of(), List.of()).words(2, Integer.MAX_VALUE);
    try (Bolt bolt = reading(Path.of(words.getFirst())); ReadTx tx = bolt.beginRead()) {
      Cursor cursor = bucket(tx, words.subList(1, words.size())).cursor();
      while (cursor.next()) {
        out.println(text(cursor.key()));
      }
      return 0;
    }
  }

  private int get(List<String> rest) throws IOException, UsageException {
    List<String> words = Arguments.parse(rest, List.of(), List.of()).words(3, Integer.MAX_VALUE);
    try (Bolt bolt = reading(Path.of(words.getFirst())); ReadTx tx = bolt.beginRead()) {
      byte[] value = bucket(tx, words.subList(1, words.size() - 1)).get(bytes(words.getLast()));
      if (value == null) {
        throw new IOException("key not found");
      }
      out.println(text(value));
      return 0;
    }
  }

  private static Bucket bucket(ReadTx tx, List<String> names) throws IOException {
    Bucket at = tx.root();
    for (String name : names) {
      at = at.bucket(bytes(name));
      if (at == null) {
        throw new IOException("bucket not found");
      }
    }
    return at;
  }

  private int compact(List<String> rest) throws IOException, UsageException {
    Arguments arguments = Arguments.parse(rest, List.of("--output", "--tx-max-size"), List.of("--no-sync"));
    Path source = Path.of(arguments.words(1, 1).getFirst());
    Path target = Path.of(arguments.required("--output"));
    long before;
    try (Bolt from = reading(source); ReadTx tx = from.beginRead()) {
      before = from.fileSizeBytes();
      disk.open(target, Disk.OpenMode.CREATE_NEW).close();
      BoltOptions options = BoltOptions.defaults().withInitialMapBytes(0).withNoSync(arguments.has("--no-sync"))
          .withPageSize(from.pageSize());
      long after;
      try (Bolt to = Bolt.open(disk, target, options)) {
        Compaction.copy(tx, to);
        after = to.fileSizeBytes();
      } catch (IOException e) {
        disk.delete(target);
        throw e;
      }
      out.println("%d -> %d bytes (gain=%.2fx)".formatted(before, after, (double) before / after));
    }
    return 0;
  }

  private int surgery(List<String> words) throws IOException, UsageException {
    String command = words.isEmpty() ? "" : words.getFirst();
    if ((command.equals("freelist") || command.equals("meta")) && words.size() > 1) {
      command += " " + words.get(1);
    }
    Arguments arguments =
        Arguments.parse(words.subList(Math.min(words.size(), command.split(" ").length), words.size()),
            List.of("--output"), List.of());
    if (command.equals("meta validate")) {
      return validateMetas(notDirectory(Path.of(arguments.words(1, 1).getFirst())));
    }
    if (!List.of("revert-meta-page", "freelist abandon", "freelist rebuild").contains(command)) {
      throw new UsageException("unknown command \"" + command + "\" for \"bolt surgery\"");
    }
    Path source = notDirectory(Path.of(arguments.words(1, 1).getFirst()));
    Path target = Path.of(arguments.required("--output"));
    switch (command) {
      case "revert-meta-page" -> {
        Surgery.revertMeta(disk, source, target);
        out.println("The meta page is reverted.");
      }
      case "freelist abandon" -> {
        Surgery.abandonFreelist(disk, source, target);
        out.println("The freelist was abandoned in both meta pages.");
        out.println("It may cause some delay on next startup because bbolt needs to scan the whole db to reconstruct"
            + " the free list.");
      }
      default -> {
        Surgery.rebuildFreelist(disk, source, target);
        out.println("The freelist was successfully rebuilt.");
      }
    }
    return 0;
  }

  private int validateMetas(Path file) throws IOException {
    int status = 0;
    for (Surgery.MetaFinding meta : Surgery.metas(disk, file)) {
      if (meta.isValid()) {
        out.println("The meta page " + meta.page() + " is valid!");
      } else {
        out.println("The meta page " + meta.page() + " is invalid: " + meta.flaw());
        status = 1;
      }
    }
    return status;
  }

  private int salvage(List<String> rest) throws IOException, UsageException {
    Arguments arguments = Arguments.parse(rest, List.of("--output"), List.of("--strays"));
    Path source = notDirectory(Path.of(arguments.words(1, 1).getFirst()));
    Path target = Path.of(arguments.required("--output"));
    SalvageReport report = Salvage.run(disk, source, target, arguments.has("--strays"));
    for (SalvageReport.Loss loss : report.losses()) {
      out.println("offset " + loss.offset() + ": " + loss.what());
    }
    if (report.lossesMore() > 0) {
      out.println("... and " + report.lossesMore() + " more");
    }
    out.println("Saved " + report.keys() + " keys in " + report.buckets() + " buckets as of transaction "
        + report.txid() + (report.strayKeys() == 0 ? "" : ", " + report.strayKeys()
            + " of the keys from stray pages: these may be out of date"));
    out.println(report.losses().isEmpty() ? "Nothing was lost." : "Not all could be read.");
    return report.isComplete() ? 0 : 1;
  }

  private int export(Path file) throws IOException {
    try (Bolt bolt = reading(file); ReadTx tx = bolt.beginRead()) {
      Script.export(tx, out);
      return 0;
    }
  }

  private int edit(List<String> rest) throws IOException, UsageException {
    Arguments arguments = Arguments.parse(rest, List.of("--page-size"), List.of("--create", "--sync-freelist"));
    Path file = notDirectory(Path.of(arguments.words(1, 1).getFirst()));
    if (!arguments.has("--create") && !disk.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    BoltOptions options;
    try {
      options = BoltOptions.defaults().withInitialMapBytes(0).withSyncFreelist(arguments.has("--sync-freelist"))
          .withPageSize(arguments.number("--page-size", BoltOptions.defaults().pageSize()));
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
    try (Bolt bolt = Bolt.open(disk, file, options)) {
      int commits = Script.edit(bolt, new BufferedReader(new InputStreamReader(in, UTF_8)));
      out.println("Committed " + commits + " transactions.");
      return 0;
    }
  }

  private static byte[] bytes(String word) throws IOException {
    try {
      return word.startsWith("0x") ? HexFormat.of().parseHex(word.substring(2)) : word.getBytes(UTF_8);
    } catch (IllegalArgumentException e) {
      throw new IOException("not hexadecimal: " + word, e);
    }
  }

  /// Text if printable, else hexadecimal.
  private static String text(byte[] bytes) {
    for (byte b : bytes) {
      if (b < 0x20 || b > 0x7e) {
        return HexFormat.of().formatHex(bytes);
      }
    }
    return new String(bytes, UTF_8);
  }
}
