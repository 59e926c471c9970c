package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Bytes;
import dev.kvorum.raft.ConfChange;
import dev.kvorum.state.ApplyOutcome;
import dev.kvorum.state.Request;
import dev.kvorum.state.RequestCodec;
import dev.kvorum.state.RequestHeader;
import dev.kvorum.state.membership.MembershipChange;
import java.util.function.Consumer;

/// The way into the log: checks that the member keeps up, encodes, parks the proposer, and hands on to raft. Any thread.
final class Proposals {
  /// How far applying may lag behind the commit index before writes are turned away.
  private static final long APPLY_LAG_MAX = 5_000;

  /// How many proposers may wait at once, whatever holds them up.
  private static final int PARKED_MAX = 65_536;

  private final MemberConfig config;
  private final RequestIds ids;
  private final Waiters waiters;
  private final RaftLoop raftLoop;
  private final ApplyLoop applyLoop;
  private final MemoryGuard memory;
  private final RequestTimes times;

  /// Whether the member holds too much that bolt has not taken yet.
  @FunctionalInterface
  interface MemoryGuard {
    boolean isFull();
  }

  Proposals(
      MemberConfig config,
      RequestIds ids,
      Waiters waiters,
      RaftLoop raftLoop,
      ApplyLoop applyLoop,
      MemoryGuard memory,
      RequestTimes times) {
    this.config = config;
    this.ids = ids;
    this.waiters = waiters;
    this.raftLoop = raftLoop;
    this.applyLoop = applyLoop;
    this.memory = memory;
    this.times = times;
  }

  /// Proposes `request`. `applied` hears the outcome, a refusal at apply included, on the apply loop.
  void propose(Request request, Consumer<ApplyOutcome> applied, Consumer<EtcdException> refused) {
    long lagMax =
        config.priorityRequest() && request instanceof Request.LeaseRevoke ? 2 * APPLY_LAG_MAX : APPLY_LAG_MAX;
    if (raftLoop.status().committed() - applyLoop.appliedIndex() > lagMax || memory.isFull()) {
      refused.accept(EtcdException.of(EtcdError.TOO_MANY_REQUESTS));
      return;
    }
    if (waiters.count() >= PARKED_MAX) {
      refused.accept(EtcdException.of(EtcdError.TOO_MANY_REQUESTS));
      return;
    }
    long id = ids.next();
    byte[] data = RequestCodec.encode(RequestHeader.of(id), request);
    if (data.length > config.maxRequestBytes()) {
      refused.accept(EtcdException.of(EtcdError.REQUEST_TOO_LARGE));
      return;
    }
    String type = RequestTimes.nameOf(request);
    long begun = times.now();
    waiters.park(
        id,
        new Waiter() {
          @Override
          public void applied(ApplyOutcome outcome) {
            times.answered(type, outcome.refusal() == null, begun);
            applied.accept(outcome);
          }

          @Override
          public void refused(EtcdException why) {
            times.answered(type, false, begun);
            refused.accept(why);
          }
        });
    raftLoop.propose(Bytes.wrap(data), id);
  }

  /// Proposes a change of the members; its id is given here. As [#propose].
  void reconfigure(MembershipChange change, Consumer<ApplyOutcome> applied, Consumer<EtcdException> refused) {
    long id = ids.next();
    waiters.park(
        id,
        new Waiter() {
          @Override
          public void applied(ApplyOutcome outcome) {
            applied.accept(outcome);
          }

          @Override
          public void refused(EtcdException why) {
            refused.accept(why);
          }
        });
    ConfChange.Type type = ConfChange.Type.values()[change.type().ordinal()];
    raftLoop.proposeConfChange(new ConfChange.V1(id, type, change.nodeId(), change.context()), id);
  }

  long nextLeaseId() {
    return ids.nextLeaseId();
  }
}
