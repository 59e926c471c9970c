package dev.kvorum.member;

import com.google.protobuf.MessageLite;
import com.google.protobuf.UnsafeByteOperations;
import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.etcdserverpb.LeaseGrantRequest;
import dev.kvorum.api.etcdserverpb.LeaseKeepAliveRequest;
import dev.kvorum.api.etcdserverpb.LeaseKeepAliveResponse;
import dev.kvorum.api.etcdserverpb.LeaseLeasesRequest;
import dev.kvorum.api.etcdserverpb.LeaseLeasesResponse;
import dev.kvorum.api.etcdserverpb.LeaseRevokeRequest;
import dev.kvorum.api.etcdserverpb.LeaseStatus;
import dev.kvorum.api.etcdserverpb.LeaseTimeToLiveRequest;
import dev.kvorum.api.etcdserverpb.LeaseTimeToLiveResponse;
import dev.kvorum.api.etcdserverpb.ResponseHeader;
import dev.kvorum.env.Failpoint;
import dev.kvorum.env.World;
import dev.kvorum.member.peer.PeerCall;
import dev.kvorum.state.Request;
import dev.kvorum.state.lease.Lease;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;

/// The meaning of the Lease RPCs. Any thread; what the leases' clock knows is asked on the apply loop.
public final class LeaseService {
  private static final PeerCall.LeaseTimes UNKNOWN_LEASE = new PeerCall.LeaseTimes(-1, 0, List.of());

  private final World world;
  private final LeaderCalls leader;
  private final LongSupplier currentRevision;
  private final ApplyLoop applyLoop;
  private final RaftLoop raftLoop;
  private final Proposals proposals;
  private final QuotaGuard quota;
  private final LeaseKeeper keeper;
  private final Headers headers;

  LeaseService(
      World world,
      LeaderCalls leader,
      LongSupplier currentRevision,
      ApplyLoop applyLoop,
      RaftLoop raftLoop,
      Proposals proposals,
      QuotaGuard quota,
      LeaseKeeper keeper,
      Headers headers) {
    this.world = world;
    this.leader = leader;
    this.currentRevision = currentRevision;
    this.applyLoop = applyLoop;
    this.raftLoop = raftLoop;
    this.proposals = proposals;
    this.quota = quota;
    this.keeper = keeper;
    this.headers = headers;
  }

  public void grant(LeaseGrantRequest request, Caller caller, Reply<Encoded> reply) {
    long id = request.getID() == 0 ? proposals.nextLeaseId() : request.getID();
    Request.LeaseGrant grant = new Request.LeaseGrant(request.getTTL(), id);
    if (!quota.admits(grant)) {
      quota.raiseAlarm(proposals, () -> reply.refuse(QuotaGuard.refusal()));
      return;
    }
    proposals.propose(grant, outcome -> headers.answer(outcome, reply), reply::refuse);
  }

  public void revoke(LeaseRevokeRequest request, Caller caller, Reply<Encoded> reply) {
    proposals.propose(
        new Request.LeaseRevoke(request.getID()), outcome -> headers.answer(outcome, reply), reply::refuse);
  }

  public void keepAlive(LeaseKeepAliveRequest request, Caller caller, Reply<Encoded> reply) {
    long id = request.getID();
    applyLoop
        .loop()
        .execute(
            () -> {
              ResponseHeader before = headers.at(applyLoop.machine().keys().currentRevision());
              askLeader(
                  here -> keeper.renew(id, here),
                  new PeerCall.RenewLease(id),
                  answering(
                      reply,
                      ttlSeconds ->
                          LeaseKeepAliveResponse.newBuilder().setHeader(before).setID(id).setTTL(ttlSeconds).build(),
                      0L));
            });
  }

  public void timeToLive(LeaseTimeToLiveRequest request, Caller caller, Reply<Encoded> reply) {
    PeerCall.LeaseTimeToLive call = new PeerCall.LeaseTimeToLive(request.getID(), request.getKeys());
    applyLoop
        .loop()
        .execute(
            () ->
                askLeader(
                    here -> timeToLiveHere(call, here),
                    call,
                    answering(reply, times -> timeToLive(request.getID(), times), UNKNOWN_LEASE)));
  }

  private LeaseTimeToLiveResponse timeToLive(long id, PeerCall.LeaseTimes times) {
    LeaseTimeToLiveResponse.Builder answer =
        LeaseTimeToLiveResponse.newBuilder()
            .setHeader(headers.at(currentRevision.getAsLong()))
            .setID(id)
            .setTTL(times.remainingSeconds())
            .setGrantedTTL(times.grantedSeconds());
    times.keys().forEach(key -> answer.addKeys(UnsafeByteOperations.unsafeWrap(key.array())));
    return answer.build();
  }

  /// Passes an answer on as a message; that there is no such lease is `unknown`, and no refusal.
  private static <A> Reply<A> answering(Reply<Encoded> reply, Function<A, MessageLite> message, A unknown) {
    return new Reply<>() {
      @Override
      public void complete(A answer) {
        reply.complete(Encoded.of(message.apply(answer)));
      }

      @Override
      public void refuse(EtcdException why) {
        if (why.error() == EtcdError.LEASE_NOT_FOUND) {
          complete(unknown);
        } else {
          reply.refuse(why);
        }
      }
    };
  }

  // ---- Only the leader knows ----

  /// On the apply loop.
  private <A> void askLeader(Consumer<Reply<A>> here, PeerCall<A> there, Reply<A> reply) {
    leader.ask(
        here, there, why -> why.error() == EtcdError.LEASE_NOT_FOUND || why.error() == EtcdError.STOPPED, reply);
  }

  /// Another member passes a renewal on. Any thread.
  void renewForPeer(long id, Reply<Long> reply) {
    world.failpoints().reach(Failpoint.BEFORE_SERVE_HTTP_LEASE_RENEW);
    onceApplied(
        () ->
            keeper.renew(
                id,
                new Reply<>() {
                  @Override
                  public void complete(Long ttlSeconds) {
                    if (ttlSeconds > 0) {
                      reply.complete(ttlSeconds);
                    } else {
                      reply.refuse(EtcdException.of(EtcdError.LEASE_NOT_FOUND));
                    }
                  }

                  @Override
                  public void refuse(EtcdException why) {
                    reply.refuse(why);
                  }
                }),
        reply);
  }

  /// Another member asks after a lease. Any thread.
  void timeToLiveForPeer(PeerCall.LeaseTimeToLive asked, Reply<PeerCall.LeaseTimes> reply) {
    world.failpoints().reach(Failpoint.BEFORE_LOOKUP_WHEN_FORWARD_LEASE_TIME_TO_LIVE);
    onceApplied(() -> timeToLiveHere(asked, reply), reply);
  }

  /// Who does not lead must not answer; who leads answers once all that is committed is applied.
  private void onceApplied(Runnable then, Reply<?> reply) {
    if (!raftLoop.status().leader()) {
      reply.refuse(EtcdException.of(EtcdError.NOT_LEADER));
      return;
    }
    applyLoop.whenApplied(raftLoop.status().committed(), applyLoop.loop(), then, reply::refuse);
  }

  private void timeToLiveHere(PeerCall.LeaseTimeToLive asked, Reply<PeerCall.LeaseTimes> reply) {
    keeper.whenPrimary(() -> timeToLiveNow(asked, reply), reply::refuse);
  }

  private void timeToLiveNow(PeerCall.LeaseTimeToLive asked, Reply<PeerCall.LeaseTimes> reply) {
    world.failpoints().reach(Failpoint.BEFORE_LOOKUP_WHEN_LEASE_TIME_TO_LIVE);
    Lease lease = applyLoop.machine().leases().get(asked.id());
    Long remainingNanos = lease == null ? null : keeper.expiry().remainingNanos(asked.id(), world.clock().nanos());
    if (lease == null || remainingNanos == null) {
      reply.refuse(EtcdException.of(EtcdError.LEASE_NOT_FOUND));
      return;
    }
    reply.complete(
        new PeerCall.LeaseTimes(
            TimeUnit.NANOSECONDS.toSeconds(remainingNanos),
            lease.ttlSeconds(),
            asked.keys() ? List.copyOf(lease.sortedKeys()) : List.of()));
  }

  /// The leases this member knows, the one to end first leading.
  public void list(LeaseLeasesRequest request, Caller caller, Reply<Encoded> reply) {
    applyLoop
        .loop()
        .execute(
            () -> {
              LeaseLeasesResponse.Builder answer =
                  LeaseLeasesResponse.newBuilder()
                      .setHeader(headers.at(applyLoop.machine().keys().currentRevision()));
              for (long id : keeper.expiry().idsByExpiry()) {
                answer.addLeases(LeaseStatus.newBuilder().setID(id));
              }
              reply.complete(Encoded.of(answer.build()));
            });
  }
}
