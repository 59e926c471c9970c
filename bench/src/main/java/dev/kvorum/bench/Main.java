package dev.kvorum.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// `bench/run`: for each row asked for, starts the servers, lets them take turns under the same clients, and prints
/// what each run came to; in the end, one table.
///
/// Exit status 0 when every row was measured, 1 when one could not be or had errors, 2 for a wrong command line.
public final class Main {
  private static final long BURST_NANOS = 2_000_000_000L;
  /// How long a server may settle after its keys were written: longer than etcd's commit interval.
  private static final long SETTLE_MILLIS = 500;

  private final Options options;
  private final Load load;
  private final Report report = new Report();
  private boolean troubled;

  private Main(Options options) {
    this.options = options;
    this.load = new Load(options);
  }

  /// The first argument is the repository, the rest is the user's.
  public static void main(String[] args) throws InterruptedException {
    Locale.setDefault(Locale.ROOT);
    Path root = Path.of(args[0]);
    String[] words = List.of(args).subList(1, args.length).toArray(String[]::new);
    int status;
    try {
      status =
          switch (words.length == 0 ? "" : words[0]) {
            case Million.COMMAND -> new Million(Million.Options.parse(root, words)).run();
            case ListStorm.COMMAND -> new ListStorm(ListStorm.Options.parse(root, words)).run();
            default -> measureRows(Options.parse(root, words));
          };
    } catch (IllegalArgumentException e) {
      System.err.println("bench: " + e.getMessage() + "\n\n" + Options.USAGE);
      status = 2;
    }
    System.exit(status);
  }

  private static int measureRows(Options options) throws InterruptedException {
    Main main = new Main(options);
    for (Row row : Row.of(options)) {
      main.measure(row);
    }
    System.out.println();
    System.out.print(main.report.table());
    return main.troubled ? 1 : 0;
  }

  private void measure(Row row) throws InterruptedException {
    System.out.println("\n" + row.name());
    List<Sample> ours = new ArrayList<>();
    List<Sample> other = new ArrayList<>();
    try (ServerProcess ourServer = prepared("ours", options.ours(), row);
        ServerProcess otherServer = prepared("other", options.other(), row)) {
      boolean runOurs = ourServer != null;
      boolean runOther = otherServer != null;
      for (int round = 0; round < options.rounds(); round++) {
        // Whoever goes first in one round goes second in the next.
        for (int turn = 0; turn < 2; turn++) {
          if ((round + turn) % 2 == 0) {
            runOurs = runOurs && run(row, ourServer, ours);
          } else {
            runOther = runOther && run(row, otherServer, other);
          }
        }
      }
    }
    report.add(new Report.Line(row, ours, other));
  }

  /// A running server with the row's keys in it; null when this side is not measured or does not come up.
  private @Nullable ServerProcess prepared(String label, @Nullable Path binary, Row row) throws InterruptedException {
    if (binary == null) {
      return null;
    }
    ServerProcess server = null;
    try {
      server = new ServerProcess(label, binary, options.dataDir());
      server.start();
      if (row.kind().readsKeys()) {
        load.populate(server.port());
        Thread.sleep(SETTLE_MILLIS);
        if (row.isFresh()) {
          server.restart();
        }
      }
      System.out.printf("  %-5s ready after %.2f s%n", label, server.readySeconds());
      return server;
    } catch (IOException e) {
      trouble(label, e);
      if (server != null) {
        server.close();
      }
      return null;
    }
  }

  /// One warm-up and one measured stretch; false when the server cannot go on.
  private boolean run(Row row, ServerProcess server, List<Sample> samples) throws InterruptedException {
    try {
      if (row.kind() == Row.Kind.RANGE && !row.isFresh()) {
        load.burst(server.port(), BURST_NANOS);
      }
      Sample sample = sample(row, server);
      System.out.printf("  %-5s %s%n", server.label(), sample);
      samples.add(sample);
      troubled |= sample.errors() > 0;
      return true;
    } catch (IOException e) {
      trouble(server.label(), e);
      if (!server.isAlive()) {
        System.out.println(server.logTail());
      }
      return false;
    }
  }

  private Sample sample(Row row, ServerProcess server) throws IOException {
    Meter meter = new Meter();
    try (LoadLoop loop = new LoadLoop(server.port())) {
      load.start(loop, row, meter);
      loop.run(options.warmupSeconds() * 1_000_000_000L);
      double machineBusy = ProcStat.machineBusySeconds();
      double serverCpu = server.cpuSeconds();
      double clientCpu = ProcStat.cpuSeconds(ProcessHandle.current().pid());
      long begun = System.nanoTime();
      meter.start();
      loop.run(options.seconds() * 1_000_000_000L);
      meter.stop();
      double seconds = (System.nanoTime() - begun) / 1e9;
      serverCpu = server.cpuSeconds() - serverCpu;
      clientCpu = ProcStat.cpuSeconds(ProcessHandle.current().pid()) - clientCpu;
      machineBusy = ProcStat.machineBusySeconds() - machineBusy;
      if (meter.count() == 0) {
        throw new IOException("nothing was answered in " + options.seconds() + " s; " + meter.firstError());
      }
      return new Sample(
          meter.count() / seconds,
          meter.millisAt(50),
          meter.millisAt(99),
          meter.millisAt(99.9),
          serverCpu / meter.count() * 100_000,
          clientCpu / seconds,
          Math.max(0, machineBusy - serverCpu - clientCpu) / seconds,
          server.residentBytes(),
          meter.errors(),
          meter.firstError());
    }
  }

  private void trouble(String label, IOException e) {
    troubled = true;
    System.out.println("  " + label + " could not be measured: " + e.getMessage());
  }
}
