package dev.kvorum.sim.cluster;

import dev.kvorum.env.Invariant;
import dev.kvorum.env.sim.Survival;
import dev.kvorum.member.Member;
import dev.kvorum.member.RemoteCluster;
import dev.kvorum.sim.Finding;
import dev.kvorum.sim.judge.LogJudge;
import dev.kvorum.sim.judge.StateJudge;
import dev.kvorum.sim.judge.VoteJudge;
import dev.kvorum.sim.net.SimNetwork;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.SimClock;
import dev.kvorum.state.membership.MemberIds;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The machines, their network, and what befalls them.
public final class Cluster {
  static final String TOKEN = "etcd-cluster";

  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final Scenario scenario;
  private final SimNetwork network;
  private final List<Node> nodes = new ArrayList<>();
  private final Map<Long, Long> leaderOfTerm = new TreeMap<>();
  private final LogJudge logs = new LogJudge(this::found);
  private final StateJudge states = new StateJudge(this::found);
  private final Damage damage;
  private Consumer<Node> catchingUp = node -> {};
  private boolean healing;
  private @Nullable Finding finding;
  private int namesGiven;

  public Cluster(Scheduler scheduler, SplittableRandom random, Scenario scenario) {
    this.scheduler = scheduler;
    this.random = random;
    this.scenario = scenario;
    this.network = new SimNetwork(scheduler, random.split());
    network.weather(scenario.weather());
    network.onSend(new VoteJudge(this::found, logs, this::nameOf)::sent);
    Map<String, List<String>> founders = new TreeMap<>();
    for (int i = 0; i < scenario.members(); i++) {
      String name = "m" + ++namesGiven;
      founders.put(name, Node.urls(name));
    }
    founders.forEach(
        (name, urls) ->
            nodes.add(new Node(this, random.split(), name, clock(), MemberIds.ofBootstrap(urls, TOKEN), founders, null)));
    damage = new Damage(this, random.split());
  }

  private SimClock clock() {
    double rate = 1 + scenario.drift() * (2 * random.nextDouble() - 1);
    return new SimClock(scheduler, random.nextLong(1_000_000_000_000L), rate);
  }

  public Scheduler scheduler() {
    return scheduler;
  }

  public Scenario scenario() {
    return scenario;
  }

  public SimNetwork network() {
    return network;
  }

  /// Holds against each other what members log and apply.
  public LogJudge logs() {
    return logs;
  }

  /// Holds against each other what their databases hold.
  public StateJudge states() {
    return states;
  }

  private String nameOf(long id) {
    return nodes.stream().filter(node -> node.id() == id).findFirst().map(Node::name).orElseGet(() -> Long.toHexString(id));
  }

  Damage damage() {
    return damage;
  }

  /// A machine whose files are gone for good: its member is to be removed. Null when there is none.
  public @Nullable Node lost() {
    return damage.lost();
  }

  /// All machines, those out of the cluster included.
  public List<Node> nodes() {
    return nodes;
  }

  /// Machines that belong to it.
  public List<Node> members() {
    return nodes.stream().filter(node -> node.phase() != Node.Phase.REMOVED).toList();
  }

  public boolean isHealing() {
    return healing;
  }

  /// The first thing a judge has found; null while all is well.
  public @Nullable Finding finding() {
    return finding;
  }

  /// Whether nobody can ever lead again, for a reason that is Raft's as etcd has it: configurations count once they are
  /// applied. A member that was promoted does not know it yet and does not stand; its vote is needed, and its log is
  /// ahead of all who may stand, whose own power failed before they had written what they had sent it (docs/BUGS.md,
  /// E-4).
  public boolean isStuckInAPromotion() {
    List<Node> up = nodes.stream().filter(node -> node.member() != null).toList();
    return up.stream().noneMatch(node -> node.member().hasLeader())
        && up.stream().anyMatch(node -> isPromotedUnawares(node, up) && isAheadOfAllWhoStand(node, up));
  }

  private static boolean isPromotedUnawares(Node node, List<Node> up) {
    return node.isLearnerByItsOwnAccount()
        && !node.configuration().voters().contains(node.id())
        && up.stream().anyMatch(other -> other.configuration().voters().contains(node.id()));
  }

  private boolean isAheadOfAllWhoStand(Node node, List<Node> up) {
    LogJudge.Position ahead = logs.lastBefore(node.name(), Long.MAX_VALUE);
    return ahead != null
        && up.stream()
            .filter(other -> other.configuration().voters().contains(other.id()))
            .map(other -> logs.lastBefore(other.name(), Long.MAX_VALUE))
            .allMatch(last -> last == null || last.compareTo(ahead) < 0);
  }

  /// @param witness hears who begins to put a leader's database in the place of his own
  public void onCatchingUp(Consumer<Node> witness) {
    catchingUp = witness;
  }

  void catchesUp(Node node) {
    catchingUp.accept(node);
  }

  /// Everything is over: gives memory back.
  public void end() {
    nodes.forEach(Node::kill);
  }

  public void found(String judge, String message) {
    scheduler.trace().event(scheduler.now(), "judge", judge);
    if (finding == null) {
      finding = new Finding(judge, message);
    }
  }

  public void startAll() {
    nodes.forEach(Node::start);
  }

  /// Who may be asked: members that run. A client that asks another is refused at once.
  public @Nullable Node anyUp(SplittableRandom by) {
    return any(by, node -> node.member() != null);
  }

  /// The same, but in act two only who was healed: another may have a disk that keeps it back for ever.
  public @Nullable Node anyWell(SplittableRandom by) {
    return any(by, node -> node.member() != null && isWell(node));
  }

  public boolean isWell(Node node) {
    return !healing || node.isHealed();
  }

  private @Nullable Node any(SplittableRandom by, Predicate<Node> which) {
    List<Node> up = nodes.stream().filter(which).toList();
    return up.isEmpty() ? null : up.get(by.nextInt(up.size()));
  }

  public @Nullable Node leader() {
    Node newest = null;
    long term = -1;
    for (Node node : nodes) {
      Member member = node.member();
      if (member != null && member.isLeader() && member.raftTerm() > term) {
        newest = node;
        term = member.raftTerm();
      }
    }
    return newest;
  }

  /// Election safety (Raft paper §5.2): a term has one leader at most, whoever says so.
  void sawLeader(Node node, long leader, long term) {
    if (leader != 0) {
      Long other = leaderOfTerm.putIfAbsent(term, leader);
      if (other != null && other != leader) {
        found(
            "election safety",
            node.name() + " takes " + Long.toHexString(leader) + " for the leader of term " + term + ", which was "
                + Long.toHexString(other));
      }
    }
  }

  /// The power of `machines` fails, all at once; in act two they start again.
  public void powerFails(List<Node> machines) {
    machines.forEach(node -> node.losePower(random.nextBoolean() ? Survival.NOTHING : Survival.RANDOM));
  }

  void memberRemoved(Node node) {
    scheduler.after(1_000_000, node::remove);
  }

  /// A machine for a member that was just added.
  ///
  /// @param members as the answer to the addition has them
  public Node join(String name, long id, long clusterId, List<dev.kvorum.state.membership.Member> members) {
    Node node = new Node(this, random.split(), name, clock(), id, Map.of(), new RemoteCluster(clusterId, members));
    nodes.add(node);
    scheduler.trace().event(scheduler.now(), name, "joins", id, nodes.size());
    if (healing) {
      node.healSoon();
    } else {
      node.start();
    }
    return node;
  }

  public String nextName() {
    return "m" + ++namesGiven;
  }

  /// Act two begins: from here on nothing goes wrong any more.
  ///
  /// @param core who must be well; the others stay as they are
  public void heal(List<Node> core) {
    Invariant.check(!healing, "healed twice");
    healing = true;
    scheduler.trace().event(scheduler.now(), "cluster", "heals", core.size(), nodes.size());
    damage.heal();
    network.heal();
    network.weather(dev.kvorum.sim.net.Weather.FAIR);
    for (Node node : core) {
      node.healSoon();
    }
  }
}
