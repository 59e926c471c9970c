package dev.kvorum.sim.judge;

import dev.kvorum.api.etcdserverpb.WatchResponse;
import dev.kvorum.api.mvccpb.Event;
import dev.kvorum.api.mvccpb.KeyValue;
import dev.kvorum.env.Bytes;
import dev.kvorum.sim.Finding;
import dev.kvorum.sim.client.Leasing;
import dev.kvorum.sim.client.Memory;
import dev.kvorum.sim.client.Watching;
import dev.kvorum.sim.model.Answer;
import dev.kvorum.sim.model.Change;
import dev.kvorum.sim.model.Kv;
import dev.kvorum.sim.model.KvModel;
import dev.kvorum.sim.model.Linearizer;
import dev.kvorum.sim.model.Operation;
import dev.kvorum.sim.model.Store;
import dev.kvorum.state.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Calls all judges over what the clients of one run remember.
///
/// First comes the one who finds the history; the others hold their own witnesses against it.
public final class Judges {
  private final Memory memory;
  private final double drift;

  /// @param drift of members' clocks, which may run out leases that much early
  public Judges(Memory memory, double drift) {
    this.memory = memory;
    this.drift = drift;
  }

  /// @return the store after everything
  /// @throws Finding.Found when something is wrong
  public Store judge() {
    Store end = history();
    long compacted = Math.max(end.compacted(), compactedPerhaps(end));
    for (Watching watching : memory.watches()) {
      WatchJudge.judge(end, compacted, watching);
    }
    memory.serializable().forEach(read -> judgeSerializable(end, compacted, read));
    memory.hashes().forEach(hash -> judgeHash(end, compacted, hash));
    memory.leases().forEach(this::judgeLease);
    return end;
  }

  /// The newest compaction that nobody answered: it may have been done, though no answer had to show it.
  private long compactedPerhaps(Store end) {
    return memory.operationsAtTheEnd().stream()
        .filter(operation -> !operation.isKnown() && operation.request() instanceof Request.Compact)
        .mapToLong(operation -> ((Request.Compact) operation.request()).revision())
        .filter(revision -> revision <= end.revision())
        .max()
        .orElse(-1);
  }

  private Store history() {
    return switch (Linearizer.check(memory.operationsAtTheEnd(), seen())) {
      case Linearizer.Verdict.Linearizable right -> right.end();
      case Linearizer.Verdict.Violation wrong -> throw new Finding.Found("linearizable", wrong.toString());
      case Linearizer.Verdict.Undecided open ->
          throw new Finding.Found("undecided", "no verdict after " + open.nodes() + " steps: " + open.furthest());
    };
  }

  /// What the watcher of everything saw, by revision: it tells which of the unanswered requests happened.
  private Map<Long, List<Change>> seen() {
    Map<Long, List<Change>> seen = new TreeMap<>();
    Watching all = memory.watches().isEmpty() ? null : memory.watches().getFirst();
    if (all == null) {
      return seen;
    }
    for (Watching.Stream stream : all.streams()) {
      List<Event> events = new ArrayList<>();
      for (WatchResponse response : stream.responses()) {
        events.addAll(response.getEventsList());
      }
      Map<Long, List<Change>> whole = new TreeMap<>();
      for (Event event : events) {
        Change change = change(event);
        whole.computeIfAbsent(change.revision(), none -> new ArrayList<>()).add(change);
      }
      whole.forEach(seen::putIfAbsent);
    }
    // where something before a change is compacted away, what was seen of it is not the whole of it
    seen.values().removeIf(changes -> changes.stream().anyMatch(Judges::lacksItsPast));
    return seen;
  }

  private static boolean lacksItsPast(Change change) {
    Kv after = change.after();
    return change.before() == null && (after == null || after.create() < after.mod());
  }

  private static Change change(Event event) {
    Kv kv = kv(event.getKv());
    Kv before = event.hasPrevKv() ? kv(event.getPrevKv()) : null;
    return new Change(kv.mod(), kv.key(), event.getType() == Event.EventType.DELETE ? null : kv, before);
  }

  private static Kv kv(KeyValue kv) {
    return new Kv(
        Bytes.wrap(kv.getKey().toByteArray()),
        Bytes.wrap(kv.getValue().toByteArray()),
        kv.getCreateRevision(),
        kv.getModRevision(),
        kv.getVersion(),
        kv.getLease());
  }

  /// A serializable read may be old, but it must be of a state that was.
  private static void judgeSerializable(Store end, long compacted, Operation read) {
    Answer answer = read.answer();
    if (answer == null || answer instanceof Answer.Refused) {
      return; // what is compacted or to come is so from where it was read
    }
    boolean was = answer.revision() >= 1 && answer.revision() <= end.revision();
    Answer expected = was ? KvModel.step(end.at(answer.revision()), read.request()).answer() : null;
    if (!answer.equals(expected) && !isOfForgottenHistory(compacted, expected)) {
      throw new Finding.Found("serializable reads are of the past", read + "\n    but then there was " + expected);
    }
  }

  /// The model forgets as soon as it is told, a member that lags later.
  private static boolean isOfForgottenHistory(long compacted, @Nullable Answer expected) {
    return compacted > 0 && expected instanceof Answer.Refused;
  }

  private static void judgeHash(Store end, long compacted, Memory.KeyHash heard) {
    if (heard.revision() > end.revision() || heard.compactRevision() > compacted) {
      throw new Finding.Found("hash of keys", heard + " is of what never was; the end is " + end.revision());
    }
    Integer expected = KeyHasher.hash(end, heard.compactRevision(), heard.revision());
    if (expected != null && expected != heard.hash()) {
      throw new Finding.Found("hash of keys", heard + " must be " + expected);
    }
  }

  /// A lease lives for its time to live after its last renewal, whoever leads meanwhile.
  private void judgeLease(Leasing lease) {
    long mustLiveUntil = lease.renewedAskedNanos() + (long) (lease.ttlNanos() / (1 + drift));
    if (lease.goneNanos() != 0 && lease.goneNanos() < mustLiveUntil && !lease.isRevokeAsked()) {
      throw new Finding.Found(
          "leases live their time",
          "lease %d of %d s, renewed at %.3f, is gone at %.3f: %s"
              .formatted(
                  lease.id(), lease.ttlNanos() / 1_000_000_000, lease.renewedAskedNanos() / 1e6, lease.goneNanos() / 1e6,
                  lease.goneBy()));
    }
  }
}
