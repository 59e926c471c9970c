package dev.kvorum.sim;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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
/// ```
///
/// Exits 0 when nothing was found, 1 when something was, 2 when it does not understand.
public final class Simulator {
  private static final int MEMBERS_MAX = 7;

  private final PrintStream out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, StandardCharsets.UTF_8);
  private final List<Long> seeds = new ArrayList<>();
  private boolean told;
  private boolean keepGoing;
  private long count;
  private long start = new SecureRandom().nextLong() >>> 24;
  private double minutes = Double.MAX_VALUE;
  private int membersMax = MEMBERS_MAX;

  private Simulator() {}

  public static void main(String[] arguments) {
    Simulator simulator = new Simulator();
    if (!simulator.understands(arguments)) {
      System.err.println("usage: bin/sim [-v] SEED... | --seeds N [--start S] [--minutes M] [--members N] [--keep-going]");
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
          case "--members" -> membersMax = Integer.parseInt(arguments[++i]);
          default -> seeds.add(Long.parseLong(arguments[i]));
        }
      }
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      return false;
    }
    return seeds.isEmpty() != (count == 0) && membersMax >= 1;
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
    long begun = System.nanoTime();
    long played = 0;
    long simulatedNanos = 0;
    long found = 0;
    out.println("seeds from " + start);
    for (long seed = start; played < count && elapsedMinutes(begun) < minutes; seed++) {
      Simulation.Outcome outcome = Simulation.play(seed, membersMax, null);
      played++;
      simulatedNanos += outcome.simulatedNanos();
      if (outcome.finding() != null) {
        found++;
        out.println(describe(outcome));
        if (!keepGoing) {
          break;
        }
      }
    }
    double took = elapsedMinutes(begun);
    out.println(
        String.format(
            Locale.ROOT,
            "%d seeds, %d with findings, in %.1f min: %.0f seeds/min, %.1f simulated hours/min",
            played, found, took, played / took, simulatedNanos / 3.6e12 / took));
    return found == 0;
  }

  private static double elapsedMinutes(long begun) {
    return (System.nanoTime() - begun) / 6e10;
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
      return story + ": nothing found";
    }
    String members = membersMax == MEMBERS_MAX ? "" : " --members " + membersMax;
    return "FOUND by " + finding.judge() + ": " + finding.message() + "\n  " + story + "\n  replay: bin/sim" + members + " "
        + outcome.seed();
  }
}
