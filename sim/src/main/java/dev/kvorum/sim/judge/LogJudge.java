package dev.kvorum.sim.judge;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvorum.api.mvccpb.KeyValue;
import dev.kvorum.env.Bytes;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.sim.model.Change;
import dev.kvorum.sim.model.Known;
import dev.kvorum.sim.model.Kv;
import dev.kvorum.state.ApplyOutcome;
import dev.kvorum.state.Effect;
import dev.kvorum.state.keys.Event;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// Looks inside: holds against each other the logs of all members as they grow, and what each entry came to on each.
///
/// Of the five properties of the Raft paper (figure 3) it judges *log matching*, *leader completeness* and *state
/// machine safety*; leaders' being append-only follows from these here, and election safety is judged where leaders are
/// seen. By *equal state* it means that an entry changes the same keys, at the same revision and with the same effects,
/// wherever and however often it is applied: state machines that begin alike then stay alike.
public final class LogJudge {
  private final BiConsumer<String, String> found;
  private final Map<String, Log> logs = new HashMap<>();

  /// By index and term: whatever anybody ever logged.
  private final Map<Long, Map<Long, Logged>> ever = new HashMap<>();

  private final NavigableMap<Long, Applied> applied = new TreeMap<>();

  /// By member: up to where it has applied the log, at its best.
  private final Map<String, Long> appliedBy = new HashMap<>();

  /// By lease: when the first member applied its revocation.
  private final Map<Long, Long> revocations = new HashMap<>();

  private long newestTerm;
  private long newestRevision;

  /// One member's log, as it is now: terms by index.
  private static final class Log {
    long beginIndex;
    long beginTerm;
    final NavigableMap<Long, Long> terms = new TreeMap<>();
    final NavigableSet<Long> confChanges = new TreeSet<>();
    boolean leadsAnew;
    long leadsInTerm;

    /// -1 where it is not known.
    long termAt(long index) {
      return index == beginIndex ? beginTerm : terms.getOrDefault(index, -1L);
    }
  }

  /// An entry's place in a log. Logs whose last entries are greater are more up to date (§5.4.1).
  public record Position(long index, long term) implements Comparable<Position> {
    @Override
    public int compareTo(Position other) {
      return term != other.term ? Long.compare(term, other.term) : Long.compare(index, other.index);
    }

    @Override
    public String toString() {
      return "entry " + index + " of term " + term;
    }
  }

  /// @param before the term of the entry before it
  private record Logged(EntryType type, Bytes data, long before, String by) {}

  /// @param newestTerm the newest term with a leader by then: it was committed in that one, or before
  private record Applied(Entry entry, long newestTerm, @Nullable ApplyOutcome outcome, String by) {}

  /// @param found hears the promise that was broken, and how
  public LogJudge(BiConsumer<String, String> found) {
    this.found = found;
  }

  /// `member` starts with, or puts in place of all it had, a log that goes on behind (`index`, `term`).
  public void begins(String member, long index, long term) {
    Log log = new Log();
    log.beginIndex = index;
    log.beginTerm = term;
    appliedBy.merge(member, index, Math::max);
    Log before = logs.put(member, log);
    if (before != null) {
      log.leadsAnew = before.leadsAnew;
      log.leadsInTerm = before.leadsInTerm;
    }
  }

  public void logged(String member, List<Entry> entries) {
    Log log = logs.computeIfAbsent(member, none -> new Log());
    for (Entry entry : entries) {
      long before = log.termAt(entry.index() - 1);
      log.terms.tailMap(entry.index(), true).clear();
      log.terms.put(entry.index(), entry.term());
      log.confChanges.tailSet(entry.index(), true).clear();
      if (entry.type() != EntryType.NORMAL) {
        judgeConfChange(member, log, entry);
        log.confChanges.add(entry.index());
      }
      judgeMatching(member, entry, before);
    }
    if (log.leadsAnew) {
      log.leadsAnew = false;
      judgeCompleteness(member, log);
    }
  }

  /// `member` has become the leader of `term`; its first entry is about to be logged.
  public void leads(String member, long term) {
    Log log = logs.computeIfAbsent(member, none -> new Log());
    log.leadsAnew = true;
    log.leadsInTerm = term;
    newestTerm = Math.max(newestTerm, term);
  }

  /// The last of what `member` has in its log from terms before `term`; null where it has no log that is known.
  public @Nullable Position lastBefore(String member, long term) {
    Log log = logs.get(member);
    if (log == null) {
      return null;
    }
    for (Map.Entry<Long, Long> entry : log.terms.descendingMap().entrySet()) {
      if (entry.getValue() < term) {
        return new Position(entry.getKey(), entry.getValue());
      }
    }
    return log.beginTerm < term ? new Position(log.beginIndex, log.beginTerm) : null;
  }

  /// If two logs hold an entry of the same index and term, it is the same, and so are all before it (§5.3).
  private void judgeMatching(String member, Entry entry, long before) {
    Logged now = new Logged(entry.type(), entry.data(), before, member);
    Logged other = ever.computeIfAbsent(entry.index(), none -> new HashMap<>()).putIfAbsent(entry.term(), now);
    if (other == null) {
      return;
    }
    boolean same = other.type == now.type && other.data.equals(now.data);
    boolean sameBefore = other.before == before || other.before < 0 || before < 0;
    if (!same || !sameBefore) {
      found.accept(
          "log matching",
          "entry %d of term %d: %s has %s behind term %d, %s had %s behind term %d"
              .formatted(
                  entry.index(), entry.term(), member, brief(entry.type(), entry.data()), before, other.by,
                  brief(other.type, other.data), other.before));
    }
  }

  /// A leader takes a change of the configuration once it has applied the one before (thesis §4.1, as etcd has it).
  private void judgeConfChange(String member, Log log, Entry entry) {
    Long before = log.confChanges.lower(entry.index());
    if (entry.term() == log.leadsInTerm && before != null && before > appliedBy.getOrDefault(member, 0L)) {
      found.accept(
          "one configuration change at a time",
          "%s, leader of term %d, takes entry %d while it has not applied entry %d"
              .formatted(member, entry.term(), entry.index(), before));
    }
  }

  private static String brief(EntryType type, Bytes data) {
    return type + "(" + data.size() + " bytes, hash " + Integer.toHexString(data.hashCode()) + ")";
  }

  /// What was committed in an earlier term is in the log of the leader (§5.4).
  private void judgeCompleteness(String member, Log log) {
    for (Applied each : applied.tailMap(log.beginIndex, false).values()) {
      Entry entry = each.entry;
      if (each.newestTerm < log.leadsInTerm && log.termAt(entry.index()) != entry.term()) {
        found.accept(
            "leader completeness",
            "%s leads in term %d without entry %d of term %d, which %s has applied"
                .formatted(member, log.leadsInTerm, entry.index(), entry.term(), each.by));
        return;
      }
    }
  }

  /// As the leader of `term`, `member` has found everything up to `index` to be committed: it may count the holders only
  /// of what is of its own term (§5.4.2, figure 8).
  public void committed(String member, long index, long term) {
    Log log = logs.computeIfAbsent(member, none -> new Log());
    long has = log.termAt(index);
    if (has >= 0 && has != term) {
      found.accept(
          "leaders commit entries of their term",
          "%s, who leads in term %d, commits up to entry %d of term %d".formatted(member, term, index, has));
    }
  }

  public void applied(String member, Entry entry, ApplyOutcome outcome, long nowNanos) {
    appliedBy.merge(member, entry.index(), Math::max);
    for (Effect effect : outcome.effects()) {
      if (effect instanceof Effect.LeaseRevoked revoked) {
        revocations.putIfAbsent(revoked.id(), nowNanos);
      }
    }
    newestRevision = Math.max(newestRevision, outcome.revision());
    boolean replayed = outcome.result() == ApplyOutcome.Result.Skipped.REPLAYED;
    Applied now = new Applied(entry, newestTerm, replayed ? null : outcome, member);
    Applied other = applied.putIfAbsent(entry.index(), now);
    if (other == null) {
      return;
    }
    if (!other.entry.equals(entry)) {
      found.accept(
          "state machine safety",
          "%s applies at %d an entry of term %d, %s one of term %d: %s, %s"
              .formatted(
                  member, entry.index(), entry.term(), other.by, other.entry.term(), brief(entry.type(), entry.data()),
                  brief(other.entry.type(), other.entry.data())));
    } else if (other.outcome == null) {
      applied.put(entry.index(), now);
    } else if (!replayed && !isSame(outcome, other.outcome)) {
      found.accept(
          "equal state",
          "entry %d came on %s to %s, on %s to %s".formatted(entry.index(), member, outcome, other.by, other.outcome));
    }
  }

  /// The newest that anybody has come to: whoever asks from now on must see it.
  public long newestRevision() {
    return newestRevision;
  }

  /// When each lease that was revoked was so, by the first member to apply it: nanoseconds by lease.
  public Map<Long, Long> revocations() {
    return revocations;
  }

  /// What happened, by revision: the history that all answers must be explained by.
  public Known history() {
    Map<Long, List<Change>> history = new TreeMap<>();
    Map<Known.LeaseEvent, List<Long>> leases = new HashMap<>();
    Map<Bytes, Kv> keys = new HashMap<>();
    for (Applied each : applied.values()) {
      ApplyOutcome outcome = each.outcome;
      if (outcome != null) {
        outcome.effects().forEach(effect -> note(effect, outcome.revision(), leases));
      }
      if (outcome != null && !outcome.events().isEmpty()) {
        List<Change> changes = new ArrayList<>();
        for (Event event : outcome.events()) {
          Kv after = event.type() == Event.Type.PUT ? Kv.of(parsed(event.kv())) : null;
          changes.add(new Change(event.main(), event.key(), after, keys.get(event.key())));
        }
        for (Change change : changes) {
          keys.put(change.key(), change.after());
        }
        history.put(outcome.revision(), changes);
      }
    }
    return new Known(history, leases);
  }

  private static void note(Effect effect, long revision, Map<Known.LeaseEvent, List<Long>> leases) {
    Known.LeaseEvent event =
        switch (effect) {
          case Effect.LeaseGranted granted -> new Known.LeaseEvent(granted.id(), true);
          case Effect.LeaseRevoked revoked -> new Known.LeaseEvent(revoked.id(), false);
          default -> null;
        };
    if (event != null) {
      leases.computeIfAbsent(event, none -> new ArrayList<>()).add(revision);
    }
  }

  private static KeyValue parsed(byte[] kv) {
    try {
      return KeyValue.parseFrom(kv);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("an event that is none", e);
    }
  }

  private static boolean isSame(ApplyOutcome one, ApplyOutcome other) {
    return one.revision() == other.revision()
        && replicated(one.effects()).equals(replicated(other.effects()))
        && isSame(one.events(), other.events());
  }

  /// Each member looks at the size of its own file.
  private static List<Effect> replicated(List<Effect> effects) {
    return effects.stream().filter(effect -> !(effect instanceof Effect.RaiseNoSpace)).toList();
  }

  private static boolean isSame(List<Event> some, List<Event> others) {
    if (some.size() != others.size()) {
      return false;
    }
    for (int i = 0; i < some.size(); i++) {
      Event one = some.get(i);
      Event other = others.get(i);
      if (one.type() != other.type()
          || one.main() != other.main()
          || one.sub() != other.sub()
          || one.isCreate() != other.isCreate()
          || !one.key().equals(other.key())
          || !Arrays.equals(one.kv(), other.kv())) {
        return false;
      }
    }
    return true;
  }
}
