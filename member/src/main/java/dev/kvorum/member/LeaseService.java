package dev.kvorum.member;

import dev.kvorum.api.Encoded;
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
import dev.kvorum.env.Bytes;
import dev.kvorum.env.World;
import dev.kvorum.state.Request;
import dev.kvorum.state.lease.Lease;
import com.google.protobuf.UnsafeByteOperations;
import java.util.concurrent.TimeUnit;

/// The meaning of the Lease RPCs. Any thread; what the leases' clock knows is asked on the apply loop.
public final class LeaseService {
  private final World world;
  private final ApplyLoop applyLoop;
  private final RaftLoop raftLoop;
  private final Proposals proposals;
  private final QuotaGuard quota;
  private final LeaseKeeper keeper;
  private final Headers headers;

  LeaseService(
      World world,
      ApplyLoop applyLoop,
      RaftLoop raftLoop,
      Proposals proposals,
      QuotaGuard quota,
      LeaseKeeper keeper,
      Headers headers) {
    this.world = world;
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
    applyLoop
        .loop()
        .execute(
            () -> {
              ResponseHeader before = headers.at(applyLoop.machine().keys().currentRevision());
              keeper.renew(
                  request.getID(),
                  new Reply<>() {
                    @Override
                    public void complete(Long ttlSeconds) {
                      reply.complete(
                          Encoded.of(
                              LeaseKeepAliveResponse.newBuilder()
                                  .setHeader(before)
                                  .setID(request.getID())
                                  .setTTL(ttlSeconds)
                                  .build()));
                    }

                    @Override
                    public void refuse(EtcdException why) {
                      reply.refuse(why);
                    }
                  });
            });
  }

  public void timeToLive(LeaseTimeToLiveRequest request, Caller caller, Reply<Encoded> reply) {
    applyLoop.whenApplied(
        raftLoop.status().committed(),
        applyLoop.loop(),
        () -> keeper.whenPrimary(() -> reply.complete(timeToLiveNow(request)), reply::refuse),
        reply::refuse);
  }

  private Encoded timeToLiveNow(LeaseTimeToLiveRequest request) {
    LeaseTimeToLiveResponse.Builder answer =
        LeaseTimeToLiveResponse.newBuilder()
            .setHeader(headers.at(applyLoop.machine().keys().currentRevision()))
            .setID(request.getID());
    Lease lease = applyLoop.machine().leases().get(request.getID());
    Long remainingNanos =
        lease == null ? null : keeper.expiry().remainingNanos(request.getID(), world.clock().nanos());
    if (lease == null || remainingNanos == null) {
      return Encoded.of(answer.setTTL(-1).build());
    }
    answer.setTTL(TimeUnit.NANOSECONDS.toSeconds(remainingNanos)).setGrantedTTL(lease.ttlSeconds());
    if (request.getKeys()) {
      for (Bytes key : lease.sortedKeys()) {
        answer.addKeys(UnsafeByteOperations.unsafeWrap(key.array()));
      }
    }
    return Encoded.of(answer.build());
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
