package dev.kvorum.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// `bench/run million`: a store with a million keys, one server after the other, taking turns in who goes first.
/// [MillionRound] has what is done to each.
final class Million {
  static final String COMMAND = "million";

  /// Above as many keys only what a start and reads cost is measured, unless asked for more.
  private static final int KEYS_OF_ALL_PARTS = 2_000_000;

  enum Part {
    START,
    READS,
    DURING
  }

  /// The command line, checked.
  ///
  /// @param rate puts per second beside the work
  /// @param seconds of each stretch of fixed length
  /// @param idleSeconds the server is left alone before its memory is read again
  record Options(
      int keys, int valueBytes, int rate, int seconds, int idleSeconds, int rounds, Set<Part> parts, Sides sides) {
    static Options parse(Path root, String[] args) {
      Arguments arguments = new Arguments(args);
      int keys = arguments.number("--keys", 1_000_000, 100_000, 100_000_000);
      String parts = arguments.text("--parts", keys <= KEYS_OF_ALL_PARTS ? "start,reads,during" : "start,reads");
      Options options =
          new Options(
              keys,
              arguments.number("--value-size", 256, Template.STAMP_BYTES, 1 << 20),
              arguments.number("--rate", 2_000, 1, 100_000),
              arguments.number("--seconds", 10, 1, 600),
              arguments.number("--idle", 60, 0, 3_600),
              arguments.number("--rounds", 3, 1, 100),
              parts(parts),
              Sides.parse(root, arguments));
      arguments.mustBeUsedUp();
      return options;
    }

    private static Set<Part> parts(String list) {
      Set<Part> parts = new TreeSet<>();
      for (String word : list.split(",")) {
        try {
          parts.add(Part.valueOf(word.toUpperCase(Locale.ROOT)));
        } catch (IllegalArgumentException e) {
          throw new IllegalArgumentException("--parts takes a list of start, reads, during, not " + word, e);
        }
      }
      return parts;
    }
  }

  private final Options options;
  private boolean troubled;

  Million(Options options) {
    this.options = options;
  }

  /// The exit status.
  int run() throws InterruptedException {
    List<Figures> ours = new ArrayList<>();
    List<Figures> other = new ArrayList<>();
    for (int round = 0; round < options.rounds(); round++) {
      for (int turn = 0; turn < 2; turn++) {
        if ((round + turn) % 2 == 0) {
          measure(round, "ours", options.sides().ours(), ours);
        } else {
          measure(round, "other", options.sides().other(), other);
        }
      }
    }
    System.out.printf(Locale.ROOT, "%n%,d keys of 34 bytes, values of %d%n%n", options.keys(), options.valueBytes());
    System.out.print(Figures.tables(ours, other));
    return troubled ? 1 : 0;
  }

  private void measure(int round, String label, @Nullable Path binary, List<Figures> all) throws InterruptedException {
    if (binary == null) {
      return;
    }
    System.out.printf("%n  %s, round %d%n", label, round + 1);
    Figures figures = new Figures();
    all.add(figures);
    try (ServerProcess server = new ServerProcess(label, binary, options.sides().dataDir())) {
      try {
        new MillionRound(options, server, figures).run();
      } catch (IOException e) {
        troubled = true;
        System.out.println("  " + label + " could not be measured to the end: " + e.getMessage());
        System.out.println(server.logTail());
      }
    } catch (IOException e) {
      troubled = true;
      System.out.println("  " + label + " could not be measured: " + e.getMessage());
    }
  }
}
