package dev.kvorum.sim.judge;

import dev.kvorum.sim.Finding;
import dev.kvorum.sim.client.Leasing;
import dev.kvorum.sim.client.Memory;
import dev.kvorum.sim.client.Watching;
import dev.kvorum.sim.model.Answer;
import dev.kvorum.sim.model.Known;
import dev.kvorum.sim.model.KvModel;
import dev.kvorum.sim.model.Linearizer;
import dev.kvorum.sim.model.Operation;
import dev.kvorum.sim.model.Store;
import dev.kvorum.state.Request;
import java.util.Map;

/// Calls all judges over what the clients of one run remember.
///
/// First comes the one who explains all answers by one history; the others hold their own witnesses against it.
public final class Judges {
  private final Memory memory;
  private final double drift;
  private final Known history;
  private final Map<Long, Long> revocations;

  /// @param drift of members' clocks, which may run out leases that much early
  /// @param history what members have done. Whether they should have is for the answers to say
  /// @param revocations when each lease's was applied first, in nanoseconds, by lease
  public Judges(Memory memory, double drift, Known history, Map<Long, Long> revocations) {
    this.memory = memory;
    this.drift = drift;
    this.history = history;
    this.revocations = revocations;
  }

  /// @return the store after everything
  /// @throws Finding.Found when something is wrong
  public Store judge() {
    Store end = explained();
    long compacted = Math.max(end.compacted(), compactedPerhaps(end));
    for (Watching watching : memory.watches()) {
      WatchJudge.judge(end, compacted, watching);
    }
    memory.serializable().forEach(read -> judgeSerializable(end, read));
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

  /// Only whether all answers are explained by one history: where nobody was asked in the end, the others cannot judge.
  ///
  /// @return the store as far as answers tell of it
  /// @throws Finding.Found when there is none
  public Store explained() {
    return switch (Linearizer.check(memory.operationsAtTheEnd(), history)) {
      case Linearizer.Verdict.Linearizable right -> right.end();
      case Linearizer.Verdict.Violation wrong -> throw new Finding.Found("linearizable", wrong.toString());
      case Linearizer.Verdict.Undecided open ->
          throw new Finding.Found("undecided", "no verdict after " + open.nodes() + " steps: " + open.furthest());
    };
  }

  /// A serializable read may be old, but it must be of a state that was.
  private static void judgeSerializable(Store end, Operation read) {
    Answer answer = read.answer();
    if (answer == null || answer instanceof Answer.Refused) {
      return; // what is compacted or to come is so from where it was read
    }
    if (answer.revision() < 1 || answer.revision() > end.revision()) {
      throw new Finding.Found("serializable reads are of the past", read + "\n    which never was");
    }
    // what is compacted may still be told by a member that lags
    Answer expected = KvModel.step(end.at(answer.revision()).unforgetting(), read.request()).answer();
    if (!answer.equals(expected)) {
      throw new Finding.Found("serializable reads are of the past", read + "\n    but then there was " + expected);
    }
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
    Long revoked = revocations.get(lease.id());
    if (revoked != null) {
      requireLife(lease, revoked, "a member has applied its revocation");
    }
    if (lease.goneNanos() != 0) {
      requireLife(lease, lease.goneNanos(), lease.goneBy());
    }
  }

  private void requireLife(Leasing lease, long goneNanos, String goneBy) {
    long renewedNanos = lease.renewedAskedNanos(goneNanos);
    if (goneNanos < renewedNanos + (long) (lease.ttlNanos() / (1 + drift))) {
      throw new Finding.Found(
          "leases live their time",
          "lease %d of %d s, renewed at %.3f, is gone at %.3f: %s"
              .formatted(
                  lease.id(), lease.ttlNanos() / 1_000_000_000, renewedNanos / 1e6, goneNanos / 1e6, goneBy));
    }
  }
}
