package dev.kvorum.sim.client;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvorum.api.etcdserverpb.MemberAddRequest;
import dev.kvorum.api.etcdserverpb.MemberAddResponse;
import dev.kvorum.api.etcdserverpb.MemberListRequest;
import dev.kvorum.api.etcdserverpb.MemberListResponse;
import dev.kvorum.api.etcdserverpb.MemberPromoteRequest;
import dev.kvorum.api.etcdserverpb.MemberRemoveRequest;
import dev.kvorum.api.etcdserverpb.MemberUpdateRequest;
import dev.kvorum.sim.cluster.Cluster;
import dev.kvorum.sim.cluster.Node;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.state.membership.Member;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// An operator who lets members come and go: adds learners and voters and starts them, promotes, updates, removes. Where no answer
/// came, the list of members says later what happened, and he starts or stops machines by that.
public final class ReconfigClient {
  private static final int MEMBERS_MAX = 7;
  private static final long TIMEOUT_NANOS = 10_000_000_000L;

  private final Cluster cluster;
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final Caller caller;
  private int acting;

  public ReconfigClient(Cluster cluster, SplittableRandom random) {
    this.cluster = cluster;
    this.scheduler = cluster.scheduler();
    this.random = random;
    this.caller = new Caller(cluster, random.split(), "reconfig");
  }

  /// @param hands how many act at a time, each on what it sees
  public void begin(int hands) {
    for (int i = 0; i < hands; i++) {
      begin();
    }
  }

  private void begin() {
    scheduler.spawn(
        null,
        "reconfig",
        () -> {
          while (true) {
            scheduler.sleep(500_000_000 + random.nextLong(3_000_000_000L));
            Node node = cluster.anyUp(random);
            if (node != null) {
              acting++;
              act(node);
              acting--;
            }
          }
        });
  }

  /// Whether nothing is under way that he has asked for.
  public boolean rests() {
    return acting == 0;
  }

  private void act(Node node) {
    List<Member> members = list(node);
    if (members == null) {
      return;
    }
    reconcile(node, members);
    if (cluster.isHealing()) {
      return;
    }
    Node lost = cluster.lost();
    if (lost != null && members.stream().anyMatch(member -> member.id() == lost.id())) {
      remove(node, lost.id());
      return;
    }
    Member any = members.get(random.nextInt(members.size()));
    switch (random.nextInt(7)) {
      case 0, 1 -> {
        if (members.size() < MEMBERS_MAX) {
          add(node, random.nextInt(3) > 0);
        }
      }
      case 2 -> {
        long voters = members.stream().filter(member -> !member.isLearner()).count();
        if (any.isLearner() || voters > 1) {
          remove(node, any.id());
        }
      }
      case 3 -> update(node, any);
      default -> promote(node, members.stream().filter(Member::isLearner).toList());
    }
  }

  private void promote(Node node, List<Member> learners) {
    if (learners.isEmpty()) {
      return;
    }
    long id = learners.get(random.nextInt(learners.size())).id();
    trace(node, "promotes", id);
    Heard heard = caller.ask(node, TIMEOUT_NANOS, (member, from, reply) ->
        member.cluster().memberPromote(MemberPromoteRequest.newBuilder().setID(id).build(), from, reply));
    if (heard instanceof Heard.Answered) {
      trace(node, "has promoted", id);
    }
  }

  /// It is said to be reached elsewhere, too, or no longer.
  private void update(Node node, Member member) {
    Node machine = cluster.nodes().stream().filter(each -> each.id() == member.id()).findFirst().orElse(null);
    if (machine == null || !machine.wasEverReady()) {
      return; // until it has started, it is known by its URLs
    }
    List<String> urls = new ArrayList<>(Node.urls(machine.name()));
    if (random.nextBoolean()) {
      urls.add("http://" + machine.name() + ":2390");
    }
    trace(node, "updates", member.id());
    caller.ask(node, TIMEOUT_NANOS, (running, from, reply) ->
        running.cluster().memberUpdate(
            MemberUpdateRequest.newBuilder().setID(member.id()).addAllPeerURLs(urls).build(), from, reply));
  }

  private void remove(Node node, long id) {
    trace(node, "removes", id);
    caller.ask(node, TIMEOUT_NANOS, (member, from, reply) ->
        member.cluster().memberRemove(MemberRemoveRequest.newBuilder().setID(id).build(), from, reply));
  }

  private void trace(Node node, String what, long id) {
    scheduler.trace().event(scheduler.now(), "reconfig", what + " by " + node.name(), id, 0);
  }

  /// Linearizable where that can be had; in act two, and where it cannot, as the member has it.
  private @Nullable List<Member> list(Node node) {
    boolean linearizable = !cluster.isHealing();
    Heard heard = caller.ask(node, TIMEOUT_NANOS, (member, from, reply) ->
        member.cluster().memberList(
            MemberListRequest.newBuilder().setLinearizable(linearizable).build(), from, reply));
    if (!(heard instanceof Heard.Answered answered)) {
      return null;
    }
    try {
      return MemberListResponse.parseFrom(answered.bytes()).getMembersList().stream()
          .map(ReconfigClient::decoded)
          .toList();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Member decoded(dev.kvorum.api.etcdserverpb.Member member) {
    List<String> urls = List.copyOf(member.getPeerURLsList());
    Member known = member.getIsLearner() ? Member.learner(member.getID(), urls) : Member.voter(member.getID(), urls);
    return member.getName().isEmpty()
        ? known
        : known.withAttributes(member.getName(), List.copyOf(member.getClientURLsList()));
  }

  private void add(Node node, boolean learner) {
    String name = cluster.nextName();
    trace(node, learner ? "adds learner " + name : "adds voter " + name, 0);
    MemberAddRequest request =
        MemberAddRequest.newBuilder().addAllPeerURLs(Node.urls(name)).setIsLearner(learner).build();
    Heard heard = caller.ask(node, TIMEOUT_NANOS, (member, from, reply) ->
        member.cluster().memberAdd(request, from, reply));
    if (heard instanceof Heard.Answered answered) {
      try {
        List<Member> members =
            MemberAddResponse.parseFrom(answered.bytes()).getMembersList().stream()
                .map(ReconfigClient::decoded)
                .toList();
        reconcile(node, members);
      } catch (InvalidProtocolBufferException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /// Every member gets a machine. A machine whose member is gone for good is stopped by what it hears itself, or here,
  /// once the cluster's own list lacks it.
  private void reconcile(Node told, List<Member> members) {
    dev.kvorum.member.Member running = told.member();
    if (running == null) {
      return;
    }
    for (Member member : members) {
      if (cluster.nodes().stream().noneMatch(node -> node.id() == member.id())) {
        String url = member.peerUrlsOrNone().getFirst();
        String name = url.substring("http://".length(), url.lastIndexOf(':'));
        cluster.join(name, member.id(), running.clusterId(), members);
      }
    }
    for (Node node : cluster.members()) {
      if (running.membership().isRemoved(node.id())) {
        node.remove();
      }
    }
  }
}
