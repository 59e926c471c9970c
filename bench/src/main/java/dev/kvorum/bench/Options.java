package dev.kvorum.bench;

import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The command line of the rows, checked.
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
      usage: bench/run ROW|million|list-storm [options]

      rows: put, txn, range, range-many, watch, lease-keepalive, mixed; all

        --clients N        N closed-loop clients, on up to 100 connections
        --conns N          connections (default: the row's usual shape)
        --inflight N       requests in flight per connection (default 1)
        --seconds N        measured seconds per run (default 5)
        --warmup N         unmeasured seconds before (default 3)
        --rounds N         runs per server, in turns (default 3)
        --value-size N     bytes per value (default 256)
        --keys N           number of keys (default 10000)

      million: load, restart, memory, ranges of many keys, and puts while the server has work to do

        --keys N           number of keys (default 1000000)
        --value-size N     bytes per value (default 256)
        --rate N           puts per second beside the work (default 2000)
        --seconds N        of each stretch of fixed length (default 10)
        --idle N           seconds left alone before memory is read again (default 60)
        --rounds N         runs per server, in turns (default 3)
        --parts LIST       of start,reads,during (default all; start,reads above 2000000 keys)

      list-storm: clients that list everything in one answer from a server below a memory ceiling

        --memory N         megabytes for the server (default 512)
        --keys N           number of keys (default 300000)
        --value-size N     bytes per value (default 256)
        --clients N        listing clients (default 100)
        --putters N        connections that put (default 10)
        --rate N           puts per second, all putters together (default 500)
        --seconds N        duration per server (default 600)
        --backoff N        milliseconds a refused client waits (default 100)

      all of them:

        --against PATH     another etcd binary to compare with
        --ours PATH        our etcd (default bin/etcd)
        --only SIDE        measure only `ours` or only `other`
        --data-dir DIR     where the servers' data goes, not a tmpfs (default bench/target/data)
      """;

  private static final int CONNS_MAX = 10_000;
  private static final int CONNS_OF_CLIENTS_MAX = 100;

  /// Throws IllegalArgumentException with a text for the user. `root` is the repository.
  static Options parse(Path root, String[] args) {
    Arguments arguments = new Arguments(args);
    String command = arguments.command();
    boolean known = Arrays.stream(Row.Kind.values()).anyMatch(kind -> kind.word().equals(command));
    if (!known && !command.equals("all")) {
      throw new IllegalArgumentException("no row is called " + command);
    }
    int clients = arguments.number("--clients", 0, 0, 1_000_000);
    int conns = arguments.number("--conns", clients == 0 ? 0 : Math.min(clients, CONNS_OF_CLIENTS_MAX), 1, CONNS_MAX);
    int inflight = arguments.number("--inflight", clients == 0 ? 1 : Math.ceilDiv(clients, conns), 1, 10_000);
    Sides sides = Sides.parse(root, arguments);
    Options options =
        new Options(
            command,
            conns,
            inflight,
            arguments.number("--value-size", 256, Template.STAMP_BYTES, 1 << 20),
            arguments.number("--keys", 10_000, 1, 10_000_000),
            arguments.number("--warmup", 3, 0, 600),
            arguments.number("--seconds", 5, 1, 600),
            arguments.number("--rounds", 3, 1, 100),
            sides.ours(),
            sides.other(),
            sides.dataDir());
    arguments.mustBeUsedUp();
    return options;
  }
}
