package dev.kvorum.member;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.api.etcdserverpb.AlarmRequest;
import dev.kvorum.api.etcdserverpb.DefragmentRequest;
import dev.kvorum.api.etcdserverpb.DefragmentResponse;
import dev.kvorum.api.etcdserverpb.DowngradeInfo;
import dev.kvorum.api.etcdserverpb.HashKVRequest;
import dev.kvorum.api.etcdserverpb.HashKVResponse;
import dev.kvorum.api.etcdserverpb.HashRequest;
import dev.kvorum.api.etcdserverpb.HashResponse;
import dev.kvorum.api.etcdserverpb.SnapshotRequest;
import dev.kvorum.api.etcdserverpb.MoveLeaderRequest;
import dev.kvorum.api.etcdserverpb.MoveLeaderResponse;
import dev.kvorum.api.etcdserverpb.StatusRequest;
import dev.kvorum.api.etcdserverpb.StatusResponse;
import dev.kvorum.env.Failpoint;
import dev.kvorum.env.Failpoints;
import dev.kvorum.env.World;
import dev.kvorum.state.Request;
import dev.kvorum.state.alarm.AlarmMember;
import dev.kvorum.state.alarm.AlarmType;
import dev.kvorum.state.backend.BackendSize;
import dev.kvorum.state.keys.KvHash;
import dev.kvorum.state.keys.KvView;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The meaning of the Maintenance RPCs. Any thread; whatever reads the file as a whole is [BackendLoop]'s.
public final class MaintenanceService {
  private static final Logger LOG = LoggerFactory.getLogger(MaintenanceService.class);

  private final Member member;
  private final ApplyLoop applyLoop;
  private final RaftLoop raftLoop;
  private final BackendLoop backendLoop;
  private final Proposals proposals;
  private final Upkeep upkeep;
  private final Headers headers;
  private final Executor workers;
  private final Failpoints failpoints;

  MaintenanceService(
      World world,
      Member member,
      ApplyLoop applyLoop,
      RaftLoop raftLoop,
      BackendLoop backendLoop,
      Proposals proposals,
      Upkeep upkeep,
      Headers headers) {
    this.member = member;
    this.applyLoop = applyLoop;
    this.raftLoop = raftLoop;
    this.backendLoop = backendLoop;
    this.proposals = proposals;
    this.upkeep = upkeep;
    this.headers = headers;
    this.workers = world.loops().workers();
    this.failpoints = world.failpoints();
  }

  public void alarm(AlarmRequest request, Caller caller, Reply<Encoded> reply) {
    Request.Alarm alarm =
        new Request.Alarm(action(request.getActionValue()), request.getMemberID(), new AlarmType(request.getAlarmValue()));
    if (alarm.action() == Request.Alarm.Action.UNKNOWN) {
      // etcd dies of it; nothing is proposed, so no log holds what would kill another member
      reply.refuse(EtcdException.of(GrpcCode.INVALID_ARGUMENT, "etcdserver: unknown alarm action"));
      return;
    }
    proposals.propose(alarm, outcome -> headers.answer(outcome, reply), reply::refuse);
  }

  private static Request.Alarm.Action action(int number) {
    Request.Alarm.Action[] actions = Request.Alarm.Action.values();
    return number >= 0 && number < actions.length ? actions[number] : Request.Alarm.Action.UNKNOWN;
  }

  public void status(StatusRequest request, Caller caller, Reply<Encoded> reply) {
    RaftStatus raft = raftLoop.status();
    BackendSize size = member.backendSize();
    var downgrade = member.membership().downgradeInfo();
    StatusResponse.Builder answer =
        StatusResponse.newBuilder()
            .setHeader(headers.at(member.currentRevision()))
            .setVersion(member.config().serverVersion())
            .setDbSize(size.bytes())
            .setDbSizeInUse(size.inUseBytes())
            .setLeader(raft.lead())
            .setRaftIndex(raft.committed())
            .setRaftAppliedIndex(applyLoop.appliedIndex())
            .setRaftTerm(raft.term())
            .setIsLearner(member.isLearner())
            .setDbSizeQuota(member.config().quotaBytes())
            .setDowngradeInfo(
                DowngradeInfo.newBuilder()
                    .setEnabled(downgrade.enabled())
                    .setTargetVersion(downgrade.targetVersion()));
    String storage = member.storageVersion();
    if (storage != null) {
      answer.setStorageVersion(storage);
    }
    if (raft.lead() == 0) {
      answer.addErrors("etcdserver: no leader");
    }
    for (AlarmMember alarm : member.alarms()) {
      // protobuf's text form, which leaves out a zero
      String of = alarm.memberId() == 0 ? "" : "memberID:" + Long.toUnsignedString(alarm.memberId()) + " ";
      answer.addErrors(of + "alarm:" + alarm.type());
    }
    reply.complete(Encoded.of(answer.build()));
  }

  public void moveLeader(MoveLeaderRequest request, Caller caller, Reply<Encoded> reply) {
    if (!raftLoop.status().leader()) {
      reply.refuse(EtcdException.of(EtcdError.NOT_LEADER));
      return;
    }
    var target = member.membership().member(request.getTargetID());
    failpoints.reach(Failpoint.AFTER_IS_MEMBER_EXIST);
    if (target == null || target.isLearner()) {
      reply.refuse(EtcdException.of(EtcdError.BAD_LEADER_TRANSFEREE));
      return;
    }
    raftLoop.transferLeader(
        target.id(),
        () -> reply.complete(Encoded.of(MoveLeaderResponse.getDefaultInstance())),
        reply::refuse);
  }

  public void defragment(DefragmentRequest request, Caller caller, Reply<Encoded> reply) {
    LOG.info("starting defragment");
    upkeep.defragment(
        () -> {
          LOG.info("finished defragment");
          reply.complete(Encoded.of(DefragmentResponse.getDefaultInstance()));
        },
        reply::refuse);
  }

  public void hash(HashRequest request, Caller caller, Reply<Encoded> reply) {
    upkeep.flush(
        () ->
            backendLoop.hash(
                hash ->
                    reply.complete(
                        Encoded.of(
                            HashResponse.newBuilder()
                                .setHeader(headers.at(member.currentRevision()))
                                .setHash(hash)
                                .build())),
                failure -> reply.refuse(KvService.damaged(failure))));
  }

  public void hashKv(HashKVRequest request, Caller caller, Reply<Encoded> reply) {
    try {
      workers.execute(() -> hashKvNow(request.getRevision(), reply));
    } catch (RejectedExecutionException full) {
      reply.refuse(EtcdException.of(EtcdError.TOO_MANY_REQUESTS));
    }
  }

  private void hashKvNow(long revision, Reply<Encoded> reply) {
    try (KvView view = member.view()) {
      KvHash hash = view.hashByRevision(revision);
      reply.complete(
          Encoded.of(
              HashKVResponse.newBuilder()
                  .setHeader(headers.at(view.currentRevision()))
                  .setHash(hash.hash())
                  .setCompactRevision(hash.compactRevision())
                  .setHashRevision(hash.revision())
                  .build()));
    } catch (EtcdException refusal) {
      reply.refuse(refusal);
    } catch (IOException e) {
      reply.refuse(KvService.damaged(e));
    }
  }

  public void snapshot(SnapshotRequest request, Caller caller, StreamReply<Encoded> reply) {
    if (!caller.account().chargeAnswer(SnapshotStreamer.HELD_BYTES)) {
      reply.refuse(MemoryBudget.refusal());
      return;
    }
    upkeep.flush(() -> backendLoop.openSnapshot(file -> new SnapshotStreamer(file, workers, reply).start()));
  }
}
