package dev.kvorum.bolt;

import dev.kvorum.env.Invariant;
import java.util.List;

/// Proves a state sound, page by page: what `bbolt check` does, in its words.
public final class Checker {
  private Checker() {}

  /// Walks all of `tx`. @return what is wrong, in the order found, at most 1,000 lines; empty when sound
  public static List<String> findings(ReadTx tx) {
    throw Invariant.unreachable("engine under construction");
  }
}
