package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Failpoint;
import dev.kvorum.env.World;
import dev.kvorum.state.Effect;
import dev.kvorum.state.Request;
import dev.kvorum.state.lease.LeaseExpiry;
import dev.kvorum.state.lease.Renewal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// The clock of the leases: what only the leader does, and nobody replicates. Owned by the apply loop.
///
/// Before it answers for a lease, or ends one, it makes sure that it still leads, by a round to the others that all who
/// wait share. Another may have been elected without its hearing of that: while it was paused, or cut off, which it
/// notices later than the others elect. It must not renew what the other will end, end what the other has renewed, nor
/// answer for leases it has never heard of. (etcd's makes sure only after its raft has not ticked for a while.) Expired
/// leases are revoked through the log, a bounded number at a time.
final class LeaseKeeper {
  private static final long SCAN_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private final World world;
  private final MemberConfig config;
  private final ApplyLoop applyLoop;
  private LeaseExpiry expiry;
  private Proposals proposals;
  private ReadIndex readIndex;
  /// Renewals of leases that ran out, waiting for their end.
  private final Map<Long, List<Reply<Long>>> dying = new TreeMap<>();
  /// Who asked before this member could know.
  private final List<Early> early = new ArrayList<>();
  private int revoking;
  private boolean retired;

  private record Early(Runnable then, Consumer<EtcdException> refuse, long deadlineNanos) {}

  @SuppressWarnings("NullAway.Init") // proposals and reads are known from start on
  LeaseKeeper(World world, MemberConfig config, ApplyLoop applyLoop, LeaseExpiry expiry) {
    this.world = world;
    this.config = config;
    this.applyLoop = applyLoop;
    this.expiry = expiry;
  }

  void start(Proposals proposalsTo, ReadIndex readsBy) {
    applyLoop
        .loop()
        .execute(
            () -> {
              proposals = proposalsTo;
              readIndex = readsBy;
              scheduleScan();
            });
  }

  LeaseExpiry expiry() {
    applyLoop.loop().assertCurrent();
    return expiry;
  }

  /// A snapshot from the leader brought other leases; this member leads nobody then.
  void replaced(LeaseExpiry fresh) {
    expiry = fresh;
  }

  void handle(Effect effect) {
    switch (effect) {
      case Effect.LeaseGranted granted ->
          expiry.granted(granted.id(), granted.ttlSeconds(), 0, world.clock().nanos());
      case Effect.LeaseRevoked revoked -> {
        expiry.revoked(revoked.id());
        List<Reply<Long>> waiting = dying.remove(revoked.id());
        if (waiting != null) {
          waiting.forEach(reply -> reply.complete(0L));
        }
      }
      case Effect.LeaseCheckpointed checkpointed ->
          expiry.checkpointed(checkpointed.id(), checkpointed.remainingTtlSeconds(), world.clock().nanos());
      default -> {}
    }
  }

  void promote() {
    if (retired) {
      return;
    }
    expiry.promote(world.clock().nanos(), config.electionNanos());
    List<Early> asked = List.copyOf(early);
    early.clear();
    asked.forEach(one -> confirm(one.then(), one.refuse()));
  }

  /// Runs `then` while this member is the one who knows: now, or once it has begun to lead and applied all before its
  /// term, and in either case once that is [#confirm]ed. A client that comes in between must not hear that its lease is
  /// gone.
  void whenPrimary(Runnable then, Consumer<EtcdException> refuse) {
    if (retired) {
      refuse.accept(EtcdException.of(EtcdError.NO_LEADER));
    } else if (expiry.isPrimary()) {
      confirm(then, refuse);
    } else {
      early.add(new Early(then, refuse, world.clock().nanos() + config.requestTimeoutNanos()));
    }
  }

  /// Runs `then` if this member leads still, after a round to the others in which it would hear of its end, and with all
  /// applied that was committed when it was asked.
  private void confirm(Runnable then, Consumer<EtcdException> refuse) {
    readIndex.await(
        applyLoop.loop(),
        () -> {
          if (expiry.isPrimary()) {
            then.run();
          } else {
            refuse.accept(EtcdException.of(EtcdError.NO_LEADER));
          }
        },
        refuse);
  }

  private void refuseLate(long nowNanos) {
    List<Early> late = early.stream().filter(one -> nowNanos - one.deadlineNanos() >= 0).toList();
    early.removeAll(late);
    late.forEach(one -> one.refuse().accept(EtcdException.of(EtcdError.TIMEOUT)));
  }

  void demote() {
    expiry.demote();
    dying.values().forEach(replies -> replies.forEach(reply -> reply.refuse(EtcdException.of(EtcdError.NO_LEADER))));
    dying.clear();
    List<Early> asked = List.copyOf(early);
    early.clear();
    asked.forEach(one -> one.refuse().accept(EtcdException.of(EtcdError.NO_LEADER)));
  }

  /// This member is removed. Raft may have it lead on for a while, but the others elect without it.
  void retire() {
    retired = true;
    demote();
  }

  /// Renews on the leader. A lease that has expired but is not revoked yet answers as gone once it is.
  void renew(long id, Reply<Long> ttlSeconds) {
    whenPrimary(() -> renewNow(id, ttlSeconds), ttlSeconds::refuse);
  }

  private void renewNow(long id, Reply<Long> ttlSeconds) {
    switch (expiry.renew(id, world.clock().nanos())) {
      case Renewal.Renewed renewed -> ttlSeconds.complete(renewed.ttlSeconds());
      case Renewal.Refused refused -> {
        switch (refused) {
          case NOT_FOUND -> ttlSeconds.complete(0L);
          case NOT_PRIMARY -> ttlSeconds.refuse(EtcdException.of(EtcdError.NO_LEADER));
          case EXPIRED -> dying.computeIfAbsent(id, none -> new ArrayList<>()).add(ttlSeconds);
          case CLEAR_CHECKPOINT_FIRST -> clearCheckpoint(id, ttlSeconds);
        }
      }
    }
  }

  /// A renewed lease has its full time again; the checkpoint that says otherwise must go first.
  private void clearCheckpoint(long id, Reply<Long> ttlSeconds) {
    world.failpoints().reach(Failpoint.BEFORE_CHECKPOINT_IN_LEASE_RENEW);
    proposals.propose(
        new Request.LeaseCheckpoint(List.of(new Request.LeaseCheckpoint.Remaining(id, 0))),
        outcome -> renew(id, ttlSeconds),
        ttlSeconds::refuse);
  }

  private void scheduleScan() {
    applyLoop
        .loop()
        .schedule(
            SCAN_NANOS,
            () -> {
              scan();
              scheduleScan();
            });
  }

  private void scan() {
    long now = world.clock().nanos();
    refuseLate(now);
    if (!expiry.isPrimary()) {
      return;
    }
    if (expiry.mayHaveExpired(now)) {
      confirm(this::revokeExpired, why -> {});
    }
    List<Request.LeaseCheckpoint.Remaining> due =
        expiry.dueCheckpoints(now, LeaseExpiry.CHECKPOINTS_PER_REQUEST_MAX);
    if (!due.isEmpty()) {
      proposals.propose(new Request.LeaseCheckpoint(due), outcome -> {}, why -> {});
    }
  }

  private void revokeExpired() {
    if (revoking > 0) {
      return; // the last scan's are still under way
    }
    for (long id : expiry.expired(world.clock().nanos(), LeaseExpiry.EXPIRED_PER_SCAN_MAX)) {
      revoke(id);
    }
  }

  private void revoke(long id) {
    revoking++;
    proposals.propose(
        new Request.LeaseRevoke(id),
        outcome -> revoking--,
        why -> applyLoop.loop().execute(() -> revoking--));
  }
}
