package dev.kvorum.member;

import com.google.protobuf.MessageLite;
import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.etcdserverpb.MemberAddRequest;
import dev.kvorum.api.etcdserverpb.MemberAddResponse;
import dev.kvorum.api.etcdserverpb.MemberListRequest;
import dev.kvorum.api.etcdserverpb.MemberListResponse;
import dev.kvorum.api.etcdserverpb.MemberPromoteRequest;
import dev.kvorum.api.etcdserverpb.MemberPromoteResponse;
import dev.kvorum.api.etcdserverpb.MemberRemoveRequest;
import dev.kvorum.api.etcdserverpb.MemberRemoveResponse;
import dev.kvorum.api.etcdserverpb.MemberUpdateRequest;
import dev.kvorum.api.etcdserverpb.MemberUpdateResponse;
import dev.kvorum.env.World;
import dev.kvorum.member.peer.PeerCall;
import dev.kvorum.member.peer.PeerLinks;
import dev.kvorum.raft.Status;
import dev.kvorum.raft.tracker.Progress;
import dev.kvorum.state.membership.Member;
import dev.kvorum.state.membership.MemberIds;
import dev.kvorum.state.membership.MembershipChange;
import dev.kvorum.state.membership.MembershipView;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The meaning of the Cluster RPCs: who the members are, and how that changes. Any thread.
///
/// A change is judged twice: here, before it is proposed, by whether the cluster can afford it ([StrictReconfig]), and
/// when it is applied, by whether it makes sense to what there is by then.
public final class ClusterService {
  /// A learner that has this much of the leader's log is near enough to vote.
  private static final double READY_SHARE = 0.9;

  private static final long APPLIED_WAIT_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final World world;
  private final MemberConfig config;
  private final ReadIndex readIndex;
  private final RaftLoop raftLoop;
  private final ApplyLoop applyLoop;
  private final Proposals proposals;
  private final LeaderCalls leader;
  private final StrictReconfig strict;
  private final Supplier<MembershipView> membership;
  private final Headers headers;

  ClusterService(
      World world,
      MemberConfig config,
      RaftLoop raftLoop,
      ApplyLoop applyLoop,
      Proposals proposals,
      LeaderCalls leader,
      PeerLinks links,
      Supplier<MembershipView> membership,
      Headers headers) {
    this.world = world;
    this.config = config;
    this.readIndex = raftLoop.readIndex();
    this.raftLoop = raftLoop;
    this.applyLoop = applyLoop;
    this.proposals = proposals;
    this.leader = leader;
    this.strict = new StrictReconfig(world.clock(), headers.memberId(), links);
    this.membership = membership;
    this.headers = headers;
  }

  public void memberList(MemberListRequest request, Caller caller, Reply<Encoded> reply) {
    if (request.getLinearizable()) {
      readIndex.await(caller.home(), () -> reply.complete(list()), reply::refuse);
    } else {
      reply.complete(list());
    }
  }

  private Encoded list() {
    return Encoded.of(
        MemberListResponse.newBuilder().setHeader(headers.at(0)).addAllMembers(members()).build());
  }

  /// Adds a voter or a learner, which may then start and join.
  public void memberAdd(MemberAddRequest request, Caller caller, Reply<Encoded> reply) {
    List<String> urls = PeerUrls.sortedOrNull(request.getPeerURLsList());
    if (urls == null) {
      reply.refuse(EtcdException.of(EtcdError.MEMBER_BAD_URLS));
      return;
    }
    long id = MemberIds.ofAddition(urls, TimeUnit.MILLISECONDS.toSeconds(world.clock().wallMillis()));
    Member added = request.getIsLearner() ? Member.learner(id, urls) : Member.voter(id, urls);
    EtcdError refusal = config.strictReconfigCheck() ? strict.addition(membership.get(), added) : null;
    propose(
        refusal,
        MembershipChange.add(0, added),
        () ->
            MemberAddResponse.newBuilder()
                .setHeader(headers.at(0))
                .setMember(encoded(added))
                .addAllMembers(members())
                .build(),
        reply);
  }

  /// Removes a member for good; when it hears of it, it stops.
  public void memberRemove(MemberRemoveRequest request, Caller caller, Reply<Encoded> reply) {
    long id = request.getID();
    EtcdError refusal = config.strictReconfigCheck() ? strict.removal(membership.get(), id) : null;
    propose(
        refusal,
        MembershipChange.remove(0, id),
        () -> MemberRemoveResponse.newBuilder().setHeader(headers.at(0)).addAllMembers(members()).build(),
        reply);
  }

  /// Tells where a member is reached from now on.
  public void memberUpdate(MemberUpdateRequest request, Caller caller, Reply<Encoded> reply) {
    Member updated = Member.voter(request.getID(), List.copyOf(request.getPeerURLsList()));
    propose(
        null,
        MembershipChange.update(0, updated),
        () -> MemberUpdateResponse.newBuilder().setHeader(headers.at(0)).addAllMembers(members()).build(),
        reply);
  }

  private void propose(
      @Nullable EtcdError refusal,
      MembershipChange change,
      Supplier<MessageLite> answer,
      Reply<Encoded> reply) {
    if (refusal != null) {
      reply.refuse(EtcdException.of(refusal));
      return;
    }
    proposals.reconfigure(
        change,
        outcome -> {
          if (outcome.refusal() == null) {
            reply.complete(Encoded.of(answer.get()));
          } else {
            reply.refuse(outcome.refusal());
          }
        },
        reply::refuse);
  }

  /// Makes a learner a voter, once it has nearly all of the log: which only the leader knows.
  public void memberPromote(MemberPromoteRequest request, Caller caller, Reply<Encoded> reply) {
    long id = request.getID();
    leader.ask(
        here -> promoteHere(id, here),
        new PeerCall.PromoteMember(id),
        why -> why.error() != EtcdError.NOT_LEADER && why.error() != EtcdError.NO_LEADER && why.error() != null,
        new Reply<>() {
          @Override
          public void complete(List<Member> members) {
            MemberPromoteResponse.Builder answer = MemberPromoteResponse.newBuilder().setHeader(headers.at(0));
            members.forEach(member -> answer.addMembers(encoded(member)));
            reply.complete(Encoded.of(answer.build()));
          }

          @Override
          public void refuse(EtcdException why) {
            reply.refuse(why);
          }
        });
  }

  /// Promotes if this member leads. Any thread.
  void promoteHere(long id, Reply<List<Member>> reply) {
    long deadline = world.clock().nanos() + APPLIED_WAIT_NANOS;
    raftLoop.status(
        status -> {
          if (status.progress().isEmpty()) {
            reply.refuse(EtcdException.of(EtcdError.NOT_LEADER));
            return;
          }
          applyLoop.whenApplied(
              status.commit(),
              applyLoop.loop(),
              () -> {
                if (world.clock().nanos() - deadline > 0) {
                  reply.refuse(EtcdException.of(EtcdError.TIMEOUT_WAIT_APPLIED_INDEX));
                } else {
                  promoteIfReady(id, status, reply);
                }
              },
              reply::refuse);
        });
  }

  private void promoteIfReady(long id, Status status, Reply<List<Member>> reply) {
    MembershipView members = membership.get();
    EtcdError refusal = readiness(id, status);
    if (refusal == null && config.strictReconfigCheck()) {
      refusal = strict.promotion(members, id);
    }
    if (refusal != null) {
      reply.refuse(EtcdException.of(refusal));
      return;
    }
    proposals.reconfigure(
        MembershipChange.promote(0, id),
        outcome -> {
          if (outcome.refusal() == null) {
            reply.complete(membership.get().members());
          } else {
            reply.refuse(outcome.refusal());
          }
        },
        reply::refuse);
  }

  private @Nullable EtcdError readiness(long id, Status status) {
    Progress.View learner = status.progress().get(id);
    Progress.View leader = status.progress().get(status.id());
    if (learner == null || leader == null) {
      return EtcdError.MEMBER_NOT_FOUND;
    }
    return learner.match() < READY_SHARE * leader.match() ? EtcdError.LEARNER_NOT_READY : null;
  }

  private List<dev.kvorum.api.etcdserverpb.Member> members() {
    return membership.get().members().stream().map(ClusterService::encoded).toList();
  }

  private static dev.kvorum.api.etcdserverpb.Member encoded(Member member) {
    return dev.kvorum.api.etcdserverpb.Member.newBuilder()
        .setID(member.id())
        .setName(member.name())
        .addAllPeerURLs(member.peerUrlsOrNone())
        .addAllClientURLs(member.clientUrls())
        .setIsLearner(member.isLearner())
        .build();
  }
}
