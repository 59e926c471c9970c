package dev.kvorum.sim.mutant;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// The program behind `bin/mutants`.
///
/// ```text
/// bin/mutants                  plants every mutant but those marked as open, and plays seeds until it is found; prints a
///                              table
/// bin/mutants NAME...          only these, open or not
///     --seeds N                gives up on a mutant after so many (5,000)
///     --minutes M              or after so long (15)
///     --start S                the first seed of each (1)
///     --jobs J                 mutants played against side by side (processors)
///     --list                   only sees whether all can be planted and compiled
/// ```
///
/// Exits 0 when every mutant was found, 1 when one was not, 2 when one cannot be planted or it does not understand.
public final class Mutants {
  private final Path root;
  private final List<String> names = new ArrayList<>();
  private long seedsMax = 5_000;
  private double minutes = 15;
  private long start = 1;
  private int jobs = Runtime.getRuntime().availableProcessors();
  private boolean listing;

  private Mutants(Path root) {
    this.root = root;
  }

  /// @param arguments the root of the sources, then what the user said
  public static void main(String[] arguments) throws Exception {
    Mutants mutants = new Mutants(Path.of(arguments[0]));
    if (!mutants.understands(List.of(arguments).subList(1, arguments.length))) {
      System.err.println("usage: bin/mutants [NAME...] [--seeds N] [--minutes M] [--start S] [--jobs J] [--list]");
      System.exit(2);
    }
    try {
      System.exit(mutants.run() ? 0 : 1);
    } catch (IllegalArgumentException stale) {
      System.err.println("bin/mutants: " + stale.getMessage());
      System.exit(2);
    }
  }

  private boolean understands(List<String> words) {
    try {
      for (int i = 0; i < words.size(); i++) {
        switch (words.get(i)) {
          case "--seeds" -> seedsMax = Long.parseLong(words.get(++i));
          case "--minutes" -> minutes = Double.parseDouble(words.get(++i));
          case "--start" -> start = Long.parseLong(words.get(++i));
          case "--jobs" -> jobs = Integer.parseInt(words.get(++i));
          case "--list" -> listing = true;
          default -> names.add(words.get(i));
        }
      }
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      return false;
    }
    return names.stream().noneMatch(name -> name.startsWith("-")) && seedsMax > 0 && minutes > 0 && jobs > 0;
  }

  private boolean run() throws Exception {
    List<Mutant> mutants = chosen();
    System.out.println("| mutant | what is wrong | found by | seeds |");
    System.out.println("|---|---|---|---|");
    int missed = 0;
    ExecutorService players = Executors.newFixedThreadPool(jobs);
    try {
      List<Future<Planted.Verdict>> verdicts = mutants.stream().map(mutant -> players.submit(() -> play(mutant))).toList();
      for (int i = 0; i < mutants.size(); i++) {
        Planted.Verdict verdict = verdicts.get(i).get();
        missed += listing || verdict.isFound() ? 0 : 1;
        System.out.println(row(mutants.get(i), verdict));
      }
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    } finally {
      players.shutdownNow();
    }
    if (!listing) {
      System.out.printf("%n%d mutants, %d not found%n", mutants.size(), missed);
    }
    return missed == 0;
  }

  private Planted.Verdict play(Mutant mutant) throws IOException, InterruptedException {
    try (Planted planted = Planted.plant(mutant, root)) {
      return listing ? new Planted.Verdict(null, 0) : planted.play(start, seedsMax, minutes);
    }
  }

  private String row(Mutant mutant, Planted.Verdict verdict) {
    String judge = listing ? "" : verdict.isFound() ? verdict.judge() : "**nobody**";
    return "| %s | %s | %s | %s |".formatted(mutant.name(), mutant.about(), judge, listing ? "" : verdict.seeds());
  }

  private List<Mutant> chosen() throws IOException {
    List<Mutant> all = Mutant.read(root.resolve(Mutant.LIST));
    for (String name : names) {
      if (all.stream().noneMatch(mutant -> mutant.name().equals(name))) {
        throw new IllegalArgumentException("no mutant is called " + name);
      }
    }
    return all.stream()
        .filter(mutant -> names.isEmpty() ? mutant.rarity() != Mutant.Rarity.OPEN : names.contains(mutant.name()))
        .toList();
  }
}
