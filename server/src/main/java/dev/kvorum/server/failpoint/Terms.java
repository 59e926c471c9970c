package dev.kvorum.server.failpoint;

import dev.kvorum.server.config.GoDuration;
import dev.kvorum.server.config.ValueException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What a failpoint is to do, as gofail writes it: terms in a row, the first that still applies is done.
///
/// ```text
/// panic        sleep("10s")   sleep(100)   return("disk is gone")   off   print
/// 10.0%panic   1*panic        3*off->panic
/// ```
/// Used by whatever threads come by.
final class Terms {
  private static final Pattern TERM =
      Pattern.compile("(?:(\\d+(?:\\.\\d+)?)%|(\\d+)\\*)?(off|panic|sleep|return|print|break)(?:\\((.*)\\))?");

  private final String text;
  private final List<Term> terms;

  /// What a term does when its turn comes.
  sealed interface Action {
    record Nothing() implements Action {}

    record Panic() implements Action {}

    record Sleep(long nanos) implements Action {}

    record Fail(String text) implements Action {}

    record Print() implements Action {}
  }

  private static final class Term {
    private final double chance;
    private final Action action;
    private int left;

    Term(double chance, int left, Action action) {
      this.chance = chance;
      this.left = left;
      this.action = action;
    }
  }

  private Terms(String text, List<Term> terms) {
    this.text = text;
    this.terms = terms;
  }

  /// @throws IllegalArgumentException when `text` is none
  static Terms parse(String text) {
    List<Term> terms = new ArrayList<>();
    for (String one : text.strip().split("->")) {
      Matcher matcher = TERM.matcher(one.strip());
      if (!matcher.matches()) {
        throw new IllegalArgumentException("failpoint: could not parse terms: " + one);
      }
      double chance = matcher.group(1) == null ? 1 : Double.parseDouble(matcher.group(1)) / 100;
      int count = matcher.group(2) == null ? Integer.MAX_VALUE : Integer.parseInt(matcher.group(2));
      terms.add(new Term(chance, count, action(matcher.group(3), matcher.group(4))));
    }
    return new Terms(text.strip(), terms);
  }

  private static Action action(String name, @Nullable String argument) {
    return switch (name) {
      case "panic" -> new Action.Panic();
      case "sleep" -> new Action.Sleep(nanos(unquoted(argument)));
      case "return" -> new Action.Fail(unquoted(argument));
      case "print" -> new Action.Print();
      default -> new Action.Nothing();
    };
  }

  private static String unquoted(@Nullable String argument) {
    if (argument == null) {
      return "";
    }
    boolean quoted = argument.length() >= 2 && argument.startsWith("\"") && argument.endsWith("\"");
    return quoted ? argument.substring(1, argument.length() - 1) : argument;
  }

  /// A Go duration such as `1m30s`, or a number of milliseconds.
  private static long nanos(String text) {
    try {
      return text.matches("\\d+") ? TimeUnit.MILLISECONDS.toNanos(Long.parseLong(text)) : GoDuration.parse(text);
    } catch (ValueException e) {
      throw new IllegalArgumentException("failpoint: could not parse sleep " + text, e);
    }
  }

  /// What is to be done this time.
  synchronized Action next(RandomGenerator random) {
    for (Term term : terms) {
      if (term.left > 0 && (term.chance >= 1 || random.nextDouble() < term.chance)) {
        if (term.left != Integer.MAX_VALUE) {
          term.left--;
        }
        return term.action;
      }
    }
    return new Action.Nothing();
  }

  /// As it was given.
  @Override
  public String toString() {
    return text;
  }
}
