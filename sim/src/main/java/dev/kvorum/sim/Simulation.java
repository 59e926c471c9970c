package dev.kvorum.sim;

import dev.kvorum.env.Bytes;
import dev.kvorum.member.Member;
import dev.kvorum.sim.client.KvClient;
import dev.kvorum.sim.client.LeaseClient;
import dev.kvorum.sim.client.MaintenanceClient;
import dev.kvorum.sim.client.Memory;
import dev.kvorum.sim.client.ReconfigClient;
import dev.kvorum.sim.client.Requests;
import dev.kvorum.sim.client.SnapshotClient;
import dev.kvorum.sim.client.SpaceClient;
import dev.kvorum.sim.client.TransferClient;
import dev.kvorum.sim.client.WatchClient;
import dev.kvorum.sim.cluster.Cluster;
import dev.kvorum.sim.cluster.Node;
import dev.kvorum.sim.cluster.Scenario;
import dev.kvorum.sim.cluster.Trouble;
import dev.kvorum.sim.judge.Judges;
import dev.kvorum.sim.model.Answer;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.Trace;
import dev.kvorum.state.Request;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One seed's story, in two acts.
///
/// In the first, anything may go wrong while clients work, and nothing that is promised may be broken. In the second a
/// majority is healed and nothing goes wrong any more: then the cluster must serve within bounded time, all its members
/// must come to hold the same, watchers must hear of everything, and leases nobody renews must end.
public final class Simulation {
  private static final long SECOND = 1_000_000_000L;
  private static final long PROGRESS_NANOS = 120 * SECOND;
  /// Besides their longest time: a leader that is new gives each its full time once more.
  private static final long LEASES_END_NANOS = 40 * SECOND;

  private final Trace trace;
  private final Scenario scenario;
  private final Scheduler scheduler;
  private final Cluster cluster;
  private final Trouble trouble;
  private final Memory memory = new Memory();
  private final List<KvClient> clients = new ArrayList<>();
  private final List<WatchClient> watchers = new ArrayList<>();
  private final MaintenanceClient operator;
  private final KvClient examiner;
  private final TransferClient transfers;
  private final SpaceClient space;
  private final ReconfigClient reconfiguring;
  private final SnapshotClient backups;
  private final SplittableRandom random;
  private boolean examined;
  private boolean stuck;

  /// What came of a seed.
  ///
  /// @param finding null when nothing was found
  /// @param stuck whether act two came to nothing, for the one reason there may be: [Cluster#isStuckInAPromotion]
  /// @param traceHash the same for the same story
  public record Outcome(
      long seed,
      Scenario scenario,
      @Nullable Finding finding,
      boolean stuck,
      long simulatedNanos,
      long traceHash,
      long events,
      int operations,
      long revision,
      int troubles) {}

  private Simulation(long seed, int membersMax, @Nullable Consumer<String> sink) {
    SplittableRandom root = new SplittableRandom(seed);
    this.trace = new Trace(sink);
    this.scenario = Scenario.draw(root.split(), membersMax);
    this.scheduler = new Scheduler(root.split(), trace);
    this.cluster = new Cluster(scheduler, root.split(), scenario);
    this.trouble = new Trouble(cluster, root.split());
    this.random = root.split();
    Requests requests = new Requests(root.split(), scenario.keys(), scenario.valueBytesMax());
    for (int i = 0; i < scenario.clients(); i++) {
      clients.add(new KvClient(cluster, root.split(), memory, requests, i));
    }
    for (int i = 0; i < 1 + random.nextInt(5); i++) {
      watchers.add(new WatchClient(cluster, root.split(), memory, i, scenario.keys()));
    }
    boolean leadersHang = scenario.extras().pausesLeaders() || scenario.extras().leavesBehind();
    int leaseClients = random.nextInt(3) + (leadersHang ? 2 : 0);
    for (int i = 0; i < leaseClients; i++) {
      new LeaseClient(cluster, root.split(), memory, i).begin();
    }
    this.reconfiguring = new ReconfigClient(cluster, root.split());
    if (scenario.reconfigures()) {
      reconfiguring.begin(1 + random.nextInt(3));
    }
    this.operator = new MaintenanceClient(cluster, root.split(), memory);
    this.examiner = new KvClient(cluster, root.split(), memory, requests, 99);
    this.transfers = new TransferClient(cluster, root.split());
    this.space = new SpaceClient(cluster, root.split(), memory, new KvClient(cluster, root.split(), memory, requests, 98));
    this.backups = new SnapshotClient(cluster, root.split(), memory);
    if (scenario.extras().movesLeader()) {
      transfers.begin();
    }
    if (scenario.extras().hasQuota()) {
      space.begin();
    }
    if (scenario.extras().backsUp()) {
      backups.begin();
    }
  }

  /// Plays `seed`.
  ///
  /// @param membersMax the most members that found a cluster
  /// @param sink hears the trace; null for silence
  public static Outcome play(long seed, int membersMax, @Nullable Consumer<String> sink) {
    Simulation simulation = new Simulation(seed, membersMax, sink);
    Logs.to(simulation.trace, simulation.scheduler);
    Finding finding;
    long revision = 0;
    try {
      finding = simulation.acts();
      if (finding == null) {
        Judges judges = simulation.judges();
        revision = (simulation.stuck ? judges.explained() : judges.judge()).revision();
      }
    } catch (Finding.Found found) {
      finding = found.finding();
    } catch (RuntimeException | Error e) {
      finding = new Finding("nothing throws", stackOf(e));
    }
    Outcome outcome =
        new Outcome(
            seed,
            simulation.scenario,
            finding,
            simulation.stuck,
            simulation.scheduler.now(),
            simulation.trace.hash(),
            simulation.trace.events(),
            simulation.memory.operations().size(),
            revision,
            simulation.trouble.happened());
    simulation.cluster.end();
    return outcome;
  }

  private Judges judges() {
    return new Judges(memory, scenario.drift(), cluster.logs().history(), cluster.logs().revocations());
  }

  private static String stackOf(Throwable e) {
    java.io.StringWriter text = new java.io.StringWriter();
    e.printStackTrace(new java.io.PrintWriter(text));
    return text.toString();
  }

  private @Nullable Finding acts() {
    cluster.startAll();
    operator.begin();
    watchers.forEach(WatchClient::begin);
    for (KvClient client : clients) {
      client.begin(scenario.opsEach(), scenario.actOneNanos());
    }
    trouble.begin();
    if (scheduler.runUntil(() -> cluster.finding() != null, scenario.actOneNanos())) {
      return cluster.finding();
    }
    List<Node> core = core();
    cluster.heal(core);
    scheduler.spawn(null, "examiner", () -> {
      examine(core);
      examined = true;
    });
    scheduler.runUntil(
        () -> cluster.finding() != null || examined, scheduler.now() + 2 * PROGRESS_NANOS + leasesEndNanos());
    if (cluster.finding() == null && !examined) {
      cluster.found("progress", "the examiner got no answers");
    }
    return cluster.finding();
  }

  /// A majority, or everybody.
  private List<Node> core() {
    List<Node> members = new ArrayList<>(cluster.members());
    if (scenario.reconfigures() || random.nextBoolean()) {
      return members;
    }
    int majority = members.size() / 2 + 1;
    while (members.size() > majority) {
      members.remove(random.nextInt(members.size()));
    }
    return members;
  }

  // ---- Act two

  private void examine(List<Node> healed) {
    if (scenario.reconfigures()) {
      waitFor("members come and go", PROGRESS_NANOS, () -> reconfiguring.rests() && allAreUp());
    }
    List<Node> core = scenario.reconfigures() ? votersOf(cluster.members()) : healed;
    for (Node node : staying(core)) {
      Request.Put put = Request.Put.of(Bytes.utf8("k00"), Bytes.utf8("examined by " + node.name()));
      if (!isAnswered(put, node)) {
        return;
      }
    }
    if (scenario.extras().movesLeader()) {
      List<Node> heirs = staying(core);
      Node heir = heirs.get(random.nextInt(heirs.size()));
      if (!transfers.insist(heir, PROGRESS_NANOS)) {
        noProgress(heir.name() + " is never handed leadership");
      }
    }
    waitFor("clients come to an end", PROGRESS_NANOS, () -> clients.stream().allMatch(KvClient::isDone));
    waitFor("leases end", leasesEndNanos() + PROGRESS_NANOS, () -> staying(core).stream().allMatch(node -> operator.countLeases(node) == 0));
    waitFor("the operator is content", PROGRESS_NANOS, space::keepsKeys);
    if (random.nextBoolean()) {
      powerFailsBehindACompaction(core);
    }
    for (Node node : staying(core)) {
      if (!isAnswered(KvClient.everything(), node)) {
        return;
      }
    }
    long revision = memory.newestRevision();
    waitFor("members converge", PROGRESS_NANOS, () -> staying(core).stream().allMatch(node -> isAt(node, revision)));
    staying(core).stream().map(Node::disagreement).filter(Objects::nonNull).forEach(
        how -> cluster.found("raft goes by the membership", how));
    waitFor(
        "watchers hear of everything",
        PROGRESS_NANOS,
        () -> watchers.stream().allMatch(watcher -> watcher.watching().toldUpTo() >= revision));
    for (Node node : staying(core)) {
      waitFor(node.name() + " is defragmented", PROGRESS_NANOS, () -> node.member() == null || operator.defragment(node));
      operator.hash(node, revision);
    }
    for (Node node : staying(core)) {
      waitFor(node.name() + " is backed up", PROGRESS_NANOS, () -> node.member() == null || backups.take(node));
    }
  }

  /// The newest revision is a deletion, and compacted; then everybody starts from what is on disk.
  private void powerFailsBehindACompaction(List<Node> core) {
    Node asked = staying(core).getFirst();
    isAnswered(Request.DeleteRange.of(Bytes.utf8("k00"), Bytes.EMPTY), asked);
    isAnswered(new Request.Compact(memory.newestRevision(), true), asked);
    cluster.powerFails(staying(core));
    waitFor("members are up again", PROGRESS_NANOS, () -> staying(core).stream().allMatch(Node::isReady));
  }

  private long leasesEndNanos() {
    return scenario.leaseSecondsMax() * SECOND + LEASES_END_NANOS;
  }

  /// A removal that was asked for in act one may come through only now.
  private static List<Node> staying(List<Node> nodes) {
    return nodes.stream().filter(node -> node.phase() != Node.Phase.REMOVED).toList();
  }

  /// And nobody is on the way out.
  private boolean allAreUp() {
    Node leader = cluster.leader();
    Member leading = leader == null ? null : leader.member();
    return leading != null
        && cluster.members().stream()
            .allMatch(node -> node.member() != null && leading.membership().member(node.id()) != null);
  }

  /// Learners serve no clients. Whoever has come furthest says who is one: the others may not know yet, not even of
  /// themselves.
  private static List<Node> votersOf(List<Node> nodes) {
    Member best =
        nodes.stream()
            .map(Node::member)
            .filter(Objects::nonNull)
            .max(Comparator.comparingLong(Member::appliedIndex))
            .orElse(null);
    return nodes.stream()
        .filter(node -> node.member() != null && best != null && isVoter(best.membership().member(node.id())))
        .toList();
  }

  private static boolean isVoter(dev.kvorum.state.membership.@Nullable Member member) {
    return member != null && !member.isLearner();
  }

  private boolean isAnswered(Request request, Node node) {
    if (stuck) {
      return false;
    }
    Answer answer = examiner.insist(request, node, PROGRESS_NANOS);
    boolean served = answer != null || node.phase() == Node.Phase.REMOVED;
    if (!served) {
      noProgress(node.name() + " answers nobody for " + PROGRESS_NANOS / SECOND + " s");
    }
    return served;
  }

  private void waitFor(String what, long withinNanos, java.util.function.BooleanSupplier condition) {
    long deadline = scheduler.now() + withinNanos;
    while (!stuck && !condition.getAsBoolean() && cluster.finding() == null) {
      if (scheduler.now() > deadline) {
        noProgress(what + ": not within " + withinNanos / SECOND + " s");
        return;
      }
      scheduler.sleep(SECOND / 2);
    }
  }

  private void noProgress(String what) {
    if (cluster.isStuckInAPromotion()) {
      stuck = true;
      scheduler.trace().event(scheduler.now(), "cluster", "is stuck in a promotion");
    } else {
      cluster.found("progress", what + ": " + state());
    }
  }

  private static boolean isAt(Node node, long revision) {
    Member member = node.member();
    return member != null && member.currentRevision() == revision;
  }

  private String state() {
    StringBuilder text = new StringBuilder();
    for (Node node : cluster.nodes()) {
      Member member = node.member();
      text.append("\n    ").append(node.name()).append(' ').append(node.phase());
      if (member != null) {
        text.append(
            " leads %b, has leader %b, term %d, committed %d, applied %d, revision %d"
                .formatted(
                    member.isLeader(), member.hasLeader(), member.raftTerm(), member.committedIndex(),
                    member.appliedIndex(), member.currentRevision()));
      }
    }
    watchers.forEach(
        watcher -> text.append("\n    ").append(watcher.watching().name()).append(" told up to ").append(watcher.watching().toldUpTo()));
    return text.toString();
  }
}
