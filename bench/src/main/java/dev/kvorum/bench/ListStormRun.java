package dev.kvorum.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// One server in the storm: filled below its ceiling, then listed by everybody for a while.
final class ListStormRun {
  private static final Keys KEYS = Keys.REGISTRY;
  private static final int LOAD_SECONDS_MAX = 600;
  private static final long REPORT_NANOS = 10_000_000_000L;
  private static final long LOOK_NANOS = 500_000_000L;
  private static final long TURN_NANOS = 5_000_000;
  /// Late answers to puts are waited for as long.
  private static final long SETTLE_NANOS_MAX = 10_000_000_000L;
  /// What a server may send ahead to one client: with a hundred of them not to be all of its memory.
  private static final int WINDOW_BYTES = 1 << 20;

  /// How it went, as the cells of a column.
  record Outcome(String label, boolean died, List<String> cells) {
    static final List<String> TITLES =
        List.of(
            "end of the server",
            "lists answered whole",
            "lists refused, by gRPC status",
            "lists lost or wrong",
            "longest list s",
            "MB/s of lists",
            "puts answered of those due",
            "puts refused, by gRPC status",
            "put p50 / p99 / longest ms",
            "longest time without a put answered, s",
            "resident, peak MB",
            "group's memory, peak MB",
            "server CPU-s");
  }

  private final ListStorm.Options options;
  private final ServerProcess server;
  private final Ceiling ceiling;
  private final PriorityQueue<Lister> waiting = new PriorityQueue<>(Comparator.comparingLong(Lister::notBeforeNanos));
  private final Template everything = Template.all(KEYS, range -> range);
  private final Map<Integer, Long> refused = new TreeMap<>();
  private long answered;
  private long wrong;
  private long bytes;
  private long longestNanos;
  private String firstTrouble = "";
  private long peakResident;
  private double cpuSeconds;

  ListStormRun(ListStorm.Options options, ServerProcess server, Ceiling ceiling) {
    this.options = options;
    this.server = server;
    this.ceiling = ceiling;
  }

  Outcome run() throws IOException, InterruptedException {
    server.start();
    Template put = Template.put(KEYS, options.valueBytes());
    long begun = System.nanoTime();
    Batch.run(
        server.port(),
        10,
        10,
        options.keys(),
        LOAD_SECONDS_MAX,
        index -> {
          put.setKey(index);
          return put;
        });
    System.out.printf(
        Locale.ROOT, "  loaded in %.1f s; %s%n", (System.nanoTime() - begun) / 1e9, memory());
    try (LoadLoop loop = new LoadLoop(server.port());
        SteadyPuts puts =
            new SteadyPuts(
                server.port(), options.putters(), options.rate(), put, random -> random.nextInt(options.keys()))) {
      loop.tolerateLosses();
      for (int i = 0; i < options.clients(); i++) {
        waiting.add(new Lister(loop));
      }
      return storm(loop, puts);
    }
  }

  private Outcome storm(LoadLoop loop, SteadyPuts puts) throws IOException {
    List<Tally> tallies = new ArrayList<>();
    Tally current = puts.count();
    long begun = System.nanoTime();
    long end = begun + options.seconds() * 1_000_000_000L;
    long reportAt = begun + REPORT_NANOS;
    long lookAt = begun;
    long answeredBefore = 0;
    long bytesBefore = 0;
    while (System.nanoTime() < end && server.isAlive()) {
      startWaiting();
      loop.turn(TURN_NANOS);
      long now = System.nanoTime();
      if (now >= lookAt) {
        look();
        lookAt = now + LOOK_NANOS;
      }
      if (now >= reportAt || now >= end) {
        Tally past = current;
        current = puts.count();
        report(now - begun, past, answered - answeredBefore, (bytes - bytesBefore) / 1e6 / (REPORT_NANOS / 1e9));
        tallies.add(past);
        answeredBefore = answered;
        bytesBefore = bytes;
        reportAt += REPORT_NANOS;
      }
    }
    double seconds = (System.nanoTime() - begun) / 1e9;
    tallies.add(current);
    puts.count(); // what is due from now on does not count
    double gapMillis = puts.longestGapMillis();
    long settle = System.nanoTime() + SETTLE_NANOS_MAX;
    while (tallies.stream().anyMatch(tally -> tally.unanswered() > 0)
        && System.nanoTime() < settle
        && server.isAlive()) {
      loop.turn(TURN_NANOS);
    }
    Tally all = new Tally();
    tallies.forEach(all::add);
    return outcome(gapMillis, all, seconds);
  }

  private void look() {
    try {
      peakResident = server.peakResidentBytes();
      cpuSeconds = server.cpuSeconds();
    } catch (IOException e) {
      // It has just died, which the loop will see.
    }
  }

  private void report(long sinceNanos, Tally puts, long lists, double megabytesPerSecond) {
    System.out.printf(
        Locale.ROOT,
        "  %4.0f s  lists %4d (%.0f MB/s), refused in all %s, lost or wrong %d%s  puts %5d p50 %8.2f p99 %9.2f ms,"
            + " refused %s, not yet answered %d  %s%n",
        sinceNanos / 1e9, lists, megabytesPerSecond, refused, wrong,
        firstTrouble.isEmpty() ? "" : " (" + firstTrouble + ")",
        puts.answered(), puts.millisAt(50), puts.millisAt(99), puts.refusedByStatus(), puts.unanswered(), memory());
  }

  private String memory() {
    try {
      return String.format(
          Locale.ROOT, "resident %.0f MB, group %.0f MB of which %.0f no page cache",
          server.residentBytes() / 1e6, ceiling.usageBytes() / 1e6, ceiling.anonymousBytes() / 1e6);
    } catch (IOException e) {
      return "gone";
    }
  }

  private Outcome outcome(double gapMillis, Tally all, double seconds) {
    boolean died = !server.isAlive();
    long kills = ceiling.kills();
    String end =
        died
            ? String.format(
                Locale.ROOT, "died after %.0f s with status %d%s", seconds, server.exitStatus(),
                kills > 0 ? ", killed by the kernel for want of memory" : "")
            : String.format(Locale.ROOT, "alive after %.0f s", seconds);
    System.out.println("  " + end);
    if (died) {
      System.out.println(server.logTail());
    } else {
      look();
    }
    return new Outcome(
        server.label(),
        died,
        List.of(
            end,
            String.format(Locale.ROOT, "%,d", answered),
            refused.isEmpty() ? "none" : refused.toString(),
            String.format(Locale.ROOT, "%,d%s", wrong, firstTrouble.isEmpty() ? "" : " (first: " + firstTrouble + ")"),
            String.format(Locale.ROOT, "%.1f", longestNanos / 1e9),
            String.format(Locale.ROOT, "%.0f", bytes / 1e6 / seconds),
            String.format(Locale.ROOT, "%,d of %,d", all.answered(), all.answered() + all.refused() + all.unanswered()),
            all.refused() == 0 ? "none" : all.refusedByStatus() + " (first: " + all.firstError() + ")",
            String.format(Locale.ROOT, "%.1f / %.1f / %.1f", all.millisAt(50), all.millisAt(99), all.millisAt(100)),
            String.format(Locale.ROOT, "%.1f", gapMillis / 1e3),
            String.format(Locale.ROOT, "%.0f", peakResident / 1e6),
            String.format(Locale.ROOT, "%.0f", ceiling.peakBytes() / 1e6),
            String.format(Locale.ROOT, "%.1f", cpuSeconds)));
  }

  private void startWaiting() {
    long now = System.nanoTime();
    while (!waiting.isEmpty() && now - waiting.peek().notBeforeNanos() >= 0) {
      waiting.poll().ask(now);
    }
  }

  /// One client. It waits after a refusal or a loss, and asks again at once after an answer.
  private final class Lister extends ListCall {
    private final LoadLoop loop;
    private @Nullable Http2Connection connection;
    private long notBeforeNanos = System.nanoTime();

    Lister(LoadLoop loop) {
      this.loop = loop;
    }

    long notBeforeNanos() {
      return notBeforeNanos;
    }

    void ask(long now) {
      try {
        if (connection == null || connection.isLost()) {
          connection = loop.connect(WINDOW_BYTES);
        }
        start(connection, everything);
      } catch (IOException e) {
        trouble(e.getMessage());
        backOff(now);
      }
    }

    private void backOff(long now) {
      notBeforeNanos = now + options.backoffMillis() * 1_000_000L;
      waiting.add(this);
    }

    @Override
    void onDone(int status, String text, long tookNanos) {
      long now = System.nanoTime();
      bytes += bytes();
      if (status == 0 && keys() == options.keys()) {
        answered++;
        longestNanos = Math.max(longestNanos, tookNanos);
        notBeforeNanos = now;
        waiting.add(this);
        return;
      }
      if (status == 0) {
        trouble("an answer with " + keys() + " keys");
      } else if (connection == null || connection.isLost()) {
        trouble(text);
      } else {
        refused.merge(status, 1L, Long::sum);
      }
      backOff(now);
    }

    private void trouble(String text) {
      wrong++;
      if (firstTrouble.isEmpty()) {
        firstTrouble = text;
      }
    }
  }
}
