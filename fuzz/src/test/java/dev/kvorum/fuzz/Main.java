package dev.kvorum.fuzz;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/// What `bin/fuzz` starts.
final class Main {
  private static final String USAGE =
      """
      usage: bin/fuzz TARGET|all [--seconds N] [--seed S]    fuzzes for N seconds in all (60)
             bin/fuzz replay TARGET FILE...                  runs inputs once each
             bin/fuzz list                                   names the targets""";

  private Main() {}

  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 0) {
      System.err.println(USAGE);
      System.exit(2);
    }
    switch (arguments[0]) {
      case "list" -> Targets.names().forEach(System.out::println);
      case "replay" -> replay(arguments);
      default -> fuzz(arguments);
    }
  }

  private static void replay(String[] arguments) throws Exception {
    Target target = Targets.named(arguments[1]);
    for (int i = 2; i < arguments.length; i++) {
      Driver.run(target, Files.readAllBytes(Path.of(arguments[i])));
      System.out.println(arguments[i] + ": well");
    }
  }

  private static void fuzz(String[] arguments) throws Exception {
    double seconds = 60;
    long seed = new SplittableRandom().nextInt(Integer.MAX_VALUE);
    for (int i = 1; i + 1 < arguments.length; i += 2) {
      switch (arguments[i]) {
        case "--seconds" -> seconds = Double.parseDouble(arguments[i + 1]);
        case "--seed" -> seed = Long.parseLong(arguments[i + 1]);
        default -> throw new IllegalArgumentException(arguments[i] + "\n" + USAGE);
      }
    }
    List<String> targets = arguments[0].equals("all") ? Targets.names() : List.of(arguments[0]);
    System.out.println("seed " + seed);
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Campaign campaign = new Campaign(
        java, System.getProperty("java.class.path"), Path.of(System.getProperty("fuzz.directory")), System.out);
    boolean clean = campaign.run(targets, seconds, seed, 1).stream().allMatch(Campaign.Outcome::isClean);
    System.exit(clean ? 0 : 1);
  }
}
