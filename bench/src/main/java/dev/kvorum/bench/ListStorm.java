package dev.kvorum.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// `bench/run list-storm`: does a server below a memory ceiling survive many clients that list everything at once, and
/// does it go on taking puts meanwhile?
///
/// Each list is one unary range of all keys; the clients count and throw away what comes, so that all memory it takes
/// is the server's. One server after the other; [ListStormRun] has what is done to each.
final class ListStorm {
  static final String COMMAND = "list-storm";

  /// The command line, checked.
  ///
  /// @param memoryBytes the server's ceiling
  /// @param clients who list, on a connection each
  /// @param putters connections that put
  /// @param rate puts per second, of all putters together
  /// @param backoffMillis a refused client waits before it asks again
  record Options(
      long memoryBytes,
      int keys,
      int valueBytes,
      int clients,
      int putters,
      int rate,
      int seconds,
      int backoffMillis,
      Sides sides) {
    static Options parse(Path root, String[] args) {
      Arguments arguments = new Arguments(args);
      Options options =
          new Options(
              (long) arguments.number("--memory", 512, 64, 1 << 20) << 20,
              arguments.number("--keys", 300_000, 1_000, 10_000_000),
              arguments.number("--value-size", 256, Template.STAMP_BYTES, 1 << 20),
              arguments.number("--clients", 100, 0, 10_000),
              arguments.number("--putters", 10, 1, 1_000),
              arguments.number("--rate", 500, 1, 100_000),
              arguments.number("--seconds", 600, 1, 86_400),
              arguments.number("--backoff", 100, 0, 60_000),
              Sides.parse(root, arguments));
      arguments.mustBeUsedUp();
      return options;
    }
  }

  private final Options options;

  ListStorm(Options options) {
    this.options = options;
  }

  /// The exit status: 0 if every server measured has survived.
  int run() throws InterruptedException {
    System.out.printf(
        Locale.ROOT,
        "%,d keys of %d bytes with values of %d, %d clients that list all of them, %d puts/s, %d MB%n",
        options.keys(), Keys.REGISTRY.key(0).size(), options.valueBytes(), options.clients(), options.rate(),
        options.memoryBytes() >> 20);
    List<ListStormRun.Outcome> outcomes = new ArrayList<>();
    boolean fine = run("ours", options.sides().ours(), outcomes);
    fine &= run("other", options.sides().other(), outcomes);
    System.out.println();
    System.out.print(table(outcomes));
    return fine ? 0 : 1;
  }

  /// False when the server has died, or could not be measured.
  private boolean run(String label, @Nullable Path binary, List<ListStormRun.Outcome> outcomes)
      throws InterruptedException {
    if (binary == null) {
      return true;
    }
    System.out.println("\n  " + label);
    try (Ceiling ceiling = Ceiling.of(options.memoryBytes(), label)) {
      System.out.println("  " + ceiling.description());
      try (ServerProcess server = new ServerProcess(label, binary, options.sides().dataDir(), ceiling)) {
        ListStormRun.Outcome outcome = new ListStormRun(options, server, ceiling).run();
        outcomes.add(outcome);
        return !outcome.died();
      }
    } catch (IOException e) {
      System.out.println("  " + label + " could not be measured: " + e.getMessage());
      return false;
    }
  }

  private static String table(List<ListStormRun.Outcome> outcomes) {
    StringBuilder out = new StringBuilder();
    line(out, "", outcomes.stream().map(ListStormRun.Outcome::label).toList());
    line(out, "---", outcomes.stream().map(outcome -> "---").toList());
    for (int i = 0; i < ListStormRun.Outcome.TITLES.size(); i++) {
      int row = i;
      String title = ListStormRun.Outcome.TITLES.get(row);
      line(out, title, outcomes.stream().map(outcome -> outcome.cells().get(row)).toList());
    }
    return out.toString();
  }

  private static void line(StringBuilder out, String title, List<String> cells) {
    out.append("| ").append(title).append(" | ").append(String.join(" | ", cells)).append(" |\n");
  }
}
