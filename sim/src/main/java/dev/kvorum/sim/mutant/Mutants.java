package dev.kvorum.sim.mutant;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The program behind `bin/mutants`.
///
/// ```text
/// bin/mutants                  plants every mutant, and plays seeds until it is found; prints a table
/// bin/mutants NAME...          only these
///     --seeds N                gives up on a mutant after so many (5,000)
///     --minutes M              or after so long (15)
///     --start S                the first seed of each (1)
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
  private boolean listing;

  private Mutants(Path root) {
    this.root = root;
  }

  /// @param arguments the root of the sources, then what the user said
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Mutants mutants = new Mutants(Path.of(arguments[0]));
    if (!mutants.understands(List.of(arguments).subList(1, arguments.length))) {
      System.err.println("usage: bin/mutants [NAME...] [--seeds N] [--minutes M] [--start S] [--list]");
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
          case "--list" -> listing = true;
          default -> names.add(words.get(i));
        }
      }
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      return false;
    }
    return names.stream().noneMatch(name -> name.startsWith("-")) && seedsMax > 0 && minutes > 0;
  }

  private boolean run() throws IOException, InterruptedException {
    List<Mutant> mutants = chosen();
    System.out.println("| mutant | what is wrong | found by | seeds |");
    System.out.println("|---|---|---|---|");
    int missed = 0;
    for (Mutant mutant : mutants) {
      try (Planted planted = Planted.plant(mutant, root)) {
        if (listing) {
          System.out.printf("| %s | %s | | |%n", mutant.name(), mutant.about());
          continue;
        }
        Planted.Verdict verdict = planted.play(start, seedsMax, minutes);
        missed += verdict.isFound() ? 0 : 1;
        System.out.printf(
            "| %s | %s | %s | %d |%n",
            mutant.name(), mutant.about(), verdict.isFound() ? verdict.judge() : "**nobody**", verdict.seeds());
      }
    }
    System.out.printf("%n%d mutants, %d not found%n", mutants.size(), missed);
    return missed == 0;
  }

  private List<Mutant> chosen() throws IOException {
    List<Mutant> all = Mutant.read(root.resolve(Mutant.LIST));
    for (String name : names) {
      if (all.stream().noneMatch(mutant -> mutant.name().equals(name))) {
        throw new IllegalArgumentException("no mutant is called " + name);
      }
    }
    return all.stream().filter(mutant -> names.isEmpty() || names.contains(mutant.name())).toList();
  }
}
