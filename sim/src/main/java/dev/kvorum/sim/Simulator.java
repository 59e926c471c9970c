package dev.kvorum.sim;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/// The program behind `bin/sim`.
///
/// ```text
/// bin/sim SEED              plays one seed
/// bin/sim -v SEED           the same, and prints everything that happens
/// bin/sim --seeds N         plays N seeds from one drawn by chance on (or from --start S), and prints the rate
///     --minutes M           ends after so many minutes all the same
///     --members N           clusters of N members at most (7)
///     --keep-going          goes on after a finding
///     --jobs N              plays that many at a time (as many as there are processors)
/// ```
///
/// Exits 0 when nothing was found, 1 when something was, 2 when it does not understand.
public final class Simulator {
  /// That found a cluster, unless the user says less.
  public static final int MEMBERS_MAX = 7;

  private final PrintStream out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, StandardCharsets.UTF_8);
  private final List<Long> seeds = new ArrayList<>();
  private boolean told;
  private boolean keepGoing;
  private long count;
  private long start = new SecureRandom().nextLong() >>> 24;
  private double minutes = Double.MAX_VALUE;
  private int membersMax = MEMBERS_MAX;
  private int jobs = Runtime.getRuntime().availableProcessors();

  private Simulator() {}

  public static void main(String[] arguments) {
    Simulator simulator = new Simulator();
    if (!simulator.understands(arguments)) {
      System.err.println("usage: bin/sim [-v] SEED... | --seeds N [--start S] [--minutes M] [--members N] [--keep-going] [--jobs N]");
      System.exit(2);
    }
    System.exit(simulator.run() ? 0 : 1);
  }

  private boolean understands(String[] arguments) {
    try {
      for (int i = 0; i < arguments.length; i++) {
        switch (arguments[i]) {
          case "-v" -> told = true;
          case "--keep-going" -> keepGoing = true;
          case "--seeds" -> count = Long.parseLong(arguments[++i]);
          case "--start" -> start = Long.parseLong(arguments[++i]);
          case "--minutes" -> minutes = Double.parseDouble(arguments[++i]);
          case "--jobs" -> jobs = Integer.parseInt(arguments[++i]);
          case "--members" -> membersMax = Integer.parseInt(arguments[++i]);
          default -> seeds.add(Long.parseLong(arguments[i]));
        }
      }
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      return false;
    }
    return seeds.isEmpty() != (count == 0) && count >= 0 && minutes > 0 && membersMax >= 1 && jobs >= 1;
  }

  private boolean run() {
    return seeds.isEmpty() ? runMany() : runSome();
  }

  private boolean runSome() {
    boolean well = true;
    for (long seed : seeds) {
      Simulation.Outcome outcome = Simulation.play(seed, membersMax, told ? out::println : null);
      out.println(describe(outcome));
      well &= outcome.finding() == null;
    }
    return well;
  }

  private boolean runMany() {
    out.println("seeds from " + start);
    Batch batch = new Batch();
    try (ExecutorService players = Executors.newFixedThreadPool(jobs)) {
      for (int i = 0; i < jobs; i++) {
        players.execute(batch::play);
      }
    }
    return batch.report();
  }

  /// Seeds one after another, to whoever has time for one. Stories share nothing.
  private final class Batch {
    private final long begun = System.nanoTime();
    private long given;
    private long played;
    private long found;
    private long stuck;
    private long simulatedNanos;

    void play() {
      for (OptionalLong seed = next(); seed.isPresent(); seed = next()) {
        ended(Simulation.play(seed.getAsLong(), membersMax, null));
      }
    }

    private synchronized OptionalLong next() {
      boolean enough = given == count || elapsedMinutes() >= minutes || (found > 0 && !keepGoing);
      return enough ? OptionalLong.empty() : OptionalLong.of(start + given++);
    }

    private synchronized void ended(Simulation.Outcome outcome) {
      played++;
      simulatedNanos += outcome.simulatedNanos();
      if (outcome.stuck()) {
        stuck++;
        out.println(describe(outcome));
      }
      if (outcome.finding() != null) {
        found++;
        out.println(describe(outcome));
      }
    }

    synchronized boolean report() {
      double took = elapsedMinutes();
      if (stuck > 0) {
        out.println(stuck + " stuck in a promotion, as etcd would be (docs/BUGS.md, E-4)");
      }
      out.println(
          String.format(
              Locale.ROOT,
              "%d seeds, %d with findings, in %.1f min: %.0f seeds/min, %.1f simulated hours/min",
              played, found, took, played / took, simulatedNanos / 3.6e12 / took));
      return found == 0 && played == given;
    }

    private double elapsedMinutes() {
      return (System.nanoTime() - begun) / 6e10;
    }
  }

  private String describe(Simulation.Outcome outcome) {
    @Nullable Finding finding = outcome.finding();
    String story =
        String.format(
            Locale.ROOT,
            "seed %d: %d members, %d operations, revision %d, %d troubles, %.1f s, %d events, trace %016x",
            outcome.seed(), outcome.scenario().members(), outcome.operations(), outcome.revision(), outcome.troubles(),
            outcome.simulatedNanos() / 1e9, outcome.events(), outcome.traceHash());
    if (finding == null) {
      return story + (outcome.stuck() ? ": nothing found, but stuck in a promotion (docs/BUGS.md, E-4)" : ": nothing found");
    }
    String members = membersMax == MEMBERS_MAX ? "" : " --members " + membersMax;
    return "FOUND by " + finding.judge() + ": " + finding.message() + "\n  " + story + "\n  replay: bin/sim" + members + " "
        + outcome.seed();
  }
}
