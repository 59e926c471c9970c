package dev.kvorum.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The command line, checked.
///
/// @param command `all`, or a row's word
/// @param conns connections; 0 for each row's usual shape
/// @param inflight requests in flight per connection
/// @param valueBytes size of the values written
/// @param keys how many keys there are
/// @param warmupSeconds unmeasured time at the head of each run
/// @param seconds measured time of each run
/// @param rounds runs per server and row, servers taking turns
/// @param ours our `bin/etcd`; null when not measured
/// @param other the etcd to compare with; null when not measured
/// @param dataDir where servers keep their data, on a real disk
record Options(
    String command,
    int conns,
    int inflight,
    int valueBytes,
    int keys,
    int warmupSeconds,
    int seconds,
    int rounds,
    @Nullable Path ours,
    @Nullable Path other,
    Path dataDir) {
  static final String USAGE =
      """
      usage: bench/run ROW [options]

      rows: put, txn, range, range-many, watch, lease-keepalive, mixed; all

        --against PATH     another etcd binary to compare with
        --ours PATH        our etcd (default bin/etcd)
        --only SIDE        measure only `ours` or only `other`
        --clients N        N closed-loop clients, on up to 100 connections
        --conns N          connections (default: the row's usual shape)
        --inflight N       requests in flight per connection (default 1)
        --seconds N        measured seconds per run (default 5)
        --warmup N         unmeasured seconds before (default 3)
        --rounds N         runs per server, in turns (default 3)
        --value-size N     bytes per value (default 256)
        --keys N           number of keys (default 10000)
        --data-dir DIR     where the servers' data goes, not a tmpfs (default bench/target/data)
      """;

  private static final int CONNS_MAX = 10_000;
  private static final int CONNS_OF_CLIENTS_MAX = 100;

  /// Throws IllegalArgumentException with a text for the user. `root` is the repository.
  static Options parse(Path root, String[] args) {
    List<String> words = new ArrayList<>(Arrays.asList(args));
    if (words.isEmpty()) {
      throw new IllegalArgumentException("which row?");
    }
    String command = words.removeFirst();
    boolean known = Arrays.stream(Row.Kind.values()).anyMatch(kind -> kind.word().equals(command));
    if (!known && !command.equals("all")) {
      throw new IllegalArgumentException("no row is called " + command);
    }
    int clients = number(words, "--clients", 0, 0, 1_000_000);
    int conns = number(words, "--conns", clients == 0 ? 0 : Math.min(clients, CONNS_OF_CLIENTS_MAX), 1, CONNS_MAX);
    int inflight = number(words, "--inflight", clients == 0 ? 1 : Math.ceilDiv(clients, conns), 1, 10_000);
    String only = text(words, "--only", "");
    if (!List.of("", "ours", "other").contains(only)) {
      throw new IllegalArgumentException("--only takes `ours` or `other`");
    }
    String against = text(words, "--against", "");
    if (only.equals("other") && against.isEmpty()) {
      throw new IllegalArgumentException("--only other needs --against PATH");
    }
    Path ours = Path.of(text(words, "--ours", root.resolve("bin/etcd").toString())).toAbsolutePath();
    Options options =
        new Options(
            command,
            conns,
            inflight,
            number(words, "--value-size", 256, Template.STAMP_BYTES, 1 << 20),
            number(words, "--keys", 10_000, 1, 10_000_000),
            number(words, "--warmup", 3, 0, 600),
            number(words, "--seconds", 5, 1, 600),
            number(words, "--rounds", 3, 1, 100),
            only.equals("other") ? null : ours,
            only.equals("ours") || against.isEmpty() ? null : Path.of(against).toAbsolutePath(),
            Path.of(text(words, "--data-dir", root.resolve("bench/target/data").toString())).toAbsolutePath());
    if (!words.isEmpty()) {
      throw new IllegalArgumentException("not understood: " + String.join(" ", words));
    }
    return options;
  }

  private static String text(List<String> words, String option, String otherwise) {
    int at = words.indexOf(option);
    if (at < 0) {
      return otherwise;
    }
    if (at + 1 == words.size()) {
      throw new IllegalArgumentException(option + " needs a value");
    }
    words.remove(at);
    return words.remove(at);
  }

  private static int number(List<String> words, String option, int otherwise, int min, int max) {
    String text = text(words, option, "");
    if (text.isEmpty()) {
      return otherwise;
    }
    try {
      int number = Integer.parseInt(text);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new IllegalArgumentException(option + " takes a number from " + min + " to " + max + ", not " + text);
  }
}
