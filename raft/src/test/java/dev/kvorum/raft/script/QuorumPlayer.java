package dev.kvorum.raft.script;

import dev.kvorum.env.Invariant;
import dev.kvorum.raft.quorum.Acks;
import dev.kvorum.raft.quorum.IdSet;
import dev.kvorum.raft.quorum.JointQuorum;
import dev.kvorum.raft.quorum.MajorityQuorum;
import dev.kvorum.raft.quorum.VoteResult;
import dev.kvorum.raft.quorum.Votes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/// Plays files about quorums. Beside what a file expects it checks what must hold of any input: halves may be swapped,
/// a half joined with itself or with nothing changes nothing, and the fast computation agrees with the definition.
final class QuorumPlayer implements Script.Player {
  @Override
  public String play(Directive directive) {
    boolean joint = directive.argument("cfgj").isPresent();
    IdSet incoming = IdSet.of(directive.numbers("cfg"));
    List<String> half = directive.strings("cfgj");
    IdSet outgoing = half.equals(List.of("zero")) ? IdSet.EMPTY : IdSet.of(directive.numbers("cfgj"));
    JointQuorum quorum = new JointQuorum(incoming, joint ? outgoing : IdSet.EMPTY);

    String kind = directive.command().equals("vote") ? "votes" : "idx";
    List<String> values = directive.strings(kind);
    Set<Long> order = new LinkedHashSet<>(directive.numbers("cfg"));
    order.addAll(outgoing.isEmpty() ? List.of() : directive.numbers("cfgj"));
    if (order.size() != values.size()) {
      return "error: mismatched input (explicit or _) for voters " + order + ": " + values;
    }
    Map<Long, String> known = new TreeMap<>(Long::compareUnsigned);
    int at = 0;
    for (long id : order) {
      String value = values.get(at++);
      if (!value.equals("_")) {
        known.put(id, value);
      }
    }
    return switch (directive.command()) {
      case "committed" -> committed(quorum, known);
      case "vote" -> vote(quorum, known);
      default -> "unknown command";
    };
  }

  private static String committed(JointQuorum quorum, Map<Long, String> known) {
    Map<Long, Long> indexes = new TreeMap<>(Long::compareUnsigned);
    known.forEach((id, value) -> indexes.put(id, Long.parseLong(value)));
    Acks acks = id -> indexes.getOrDefault(id, 0L);
    long index = quorum.committedIndex(acks);
    check(quorum, index, q -> q.committedIndex(acks));
    long byDefinition = Math.min(definition(quorum.incoming(), acks), definition(quorum.outgoing(), acks));
    Invariant.check(index == byDefinition, () -> index + " <-- via alternative computation " + byDefinition);
    for (long id : indexes.keySet()) {
      long its = indexes.get(id);
      if (its > index && its > 0) {
        // Whoever is past the committed index does not hold it up, nor down.
        for (long lower : new long[] {its - 1, 0}) {
          long changed = quorum.committedIndex(i -> i == id ? lower : acks.of(i));
          Invariant.check(lower < index || changed == index, () -> index + " changed to " + changed);
        }
      }
    }
    String committed = index == MajorityQuorum.EVERYTHING ? "∞" : Long.toString(index);
    return table(quorum.ids(), indexes) + committed + "\n";
  }

  private static String vote(JointQuorum quorum, Map<Long, String> known) {
    Votes votes =
        id ->
            switch (known.getOrDefault(id, "_")) {
              case "y" -> Votes.YES;
              case "n" -> Votes.NO;
              default -> Votes.MISSING;
            };
    VoteResult result = quorum.voteResult(votes);
    check(quorum, result, q -> q.voteResult(votes));
    return result + "\n";
  }

  private static <T> void check(
      JointQuorum quorum, T result, Function<JointQuorum, T> compute) {
    JointQuorum swapped = new JointQuorum(quorum.outgoing(), quorum.incoming());
    Invariant.check(compute.apply(swapped).equals(result), () -> result + " is not symmetric");
    if (!quorum.isJoint()) {
      JointQuorum withItself = new JointQuorum(quorum.incoming(), quorum.incoming());
      Invariant.check(compute.apply(withItself).equals(result), () -> result + " changes when joined with itself");
    }
  }

  /// The largest acknowledged index that a majority has reached, found by trying.
  private static long definition(IdSet voters, Acks acks) {
    if (voters.isEmpty()) {
      return MajorityQuorum.EVERYTHING;
    }
    long best = 0;
    for (long candidateId : voters.toList()) {
      long candidate = acks.of(candidateId);
      long reached = voters.toList().stream().filter(id -> acks.of(id) >= candidate).count();
      if (reached >= voters.size() / 2 + 1) {
        best = Math.max(best, candidate);
      }
    }
    return best;
  }

  private static String table(IdSet voters, Map<Long, Long> indexes) {
    int n = voters.size();
    if (n == 0) {
      return "<empty majority quorum>";
    }
    List<Long> byIndex = new ArrayList<>(voters.toList());
    byIndex.sort(
        Comparator.comparing((Long id) -> indexes.getOrDefault(id, 0L)).thenComparing(Long::compareUnsigned));
    Map<Long, Integer> bars = new TreeMap<>(Long::compareUnsigned);
    for (int i = 0; i < n; i++) {
      long index = indexes.getOrDefault(byIndex.get(i), 0L);
      boolean higher = i > 0 && index > indexes.getOrDefault(byIndex.get(i - 1), 0L);
      bars.put(byIndex.get(i), i == 0 ? 0 : higher ? i : bars.get(byIndex.get(i - 1)));
    }
    StringBuilder text = new StringBuilder(" ".repeat(n)).append("    idx\n");
    bars.forEach(
        (id, bar) -> {
          Long index = indexes.get(id);
          text.append(index == null ? "?" + " ".repeat(n) : "x".repeat(bar) + ">" + " ".repeat(n - bar));
          text.append(String.format(" %5d    (id=%x)%n", index == null ? 0 : index, id));
        });
    return text.toString();
  }
}
