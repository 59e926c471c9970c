package dev.kvorum.sim.cluster;

import dev.kvorum.env.sim.SimDisk;
import dev.kvorum.env.sim.Survival;
import dev.kvorum.member.Member;
import dev.kvorum.member.MemberConfig;
import dev.kvorum.member.RemoteCluster;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.sim.net.SimLinks;
import dev.kvorum.sim.world.LatentDisk;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.SimClock;
import dev.kvorum.sim.world.SimHost;
import dev.kvorum.state.ApplyOutcome;
import dev.kvorum.state.membership.MembershipView;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A machine: one disk, one clock, and now and then a process with a member in it.
public final class Node {
  private static final long MEMORY_BYTES = 256L << 20;
  private static final long STOP_NANOS = TimeUnit.SECONDS.toNanos(20);

  /// What the machine does now.
  public enum Phase {
    DOWN,
    STARTING,
    UP,
    STOPPING,
    /// Its member has given up, as it must when its disk fails.
    HALTED,
    /// Out of the cluster for good.
    REMOVED
  }

  private final Cluster cluster;
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final String name;
  private final SimDisk disk = new SimDisk();
  private final SimClock clock;
  private final Map<String, List<String>> founders;
  private final @Nullable RemoteCluster remote;
  private Phase phase = Phase.DOWN;
  private @Nullable SimHost host;
  private @Nullable LatentDisk latent;
  private @Nullable SimLinks links;
  private @Nullable Member member;
  private ConfState configuration = ConfState.EMPTY;
  private boolean ready;
  private boolean everReady;
  private boolean diskSpoilt;
  private boolean healed;
  private long id;
  private int lives;

  Node(
      Cluster cluster,
      SplittableRandom random,
      String name,
      SimClock clock,
      long id,
      Map<String, List<String>> founders,
      @Nullable RemoteCluster remote) {
    this.cluster = cluster;
    this.scheduler = cluster.scheduler();
    this.random = random;
    this.name = name;
    this.clock = clock;
    this.id = id;
    this.founders = founders;
    this.remote = remote;
  }

  public String name() {
    return name;
  }

  public long id() {
    return id;
  }

  public Phase phase() {
    return phase;
  }

  public SimDisk disk() {
    return disk;
  }

  public SimClock clock() {
    return clock;
  }

  public @Nullable SimHost host() {
    return host;
  }

  /// The running member; null when there is none.
  public @Nullable Member member() {
    return phase == Phase.UP ? member : null;
  }

  /// Whether it has said that it serves.
  public boolean isReady() {
    return phase == Phase.UP && ready;
  }

  public boolean wasEverReady() {
    return everReady;
  }

  /// Whether its member has not applied yet that it was promoted.
  boolean isLearnerByItsOwnAccount() {
    Member running = member();
    return running != null && running.isLearner();
  }

  /// What raft goes by.
  ConfState configuration() {
    return configuration;
  }

  /// How what raft goes by differs from what the cluster's members are said to be; null when it does not.
  public @Nullable String disagreement() {
    Member running = member();
    if (running == null) {
      return null;
    }
    MembershipView said = running.membership();
    boolean agrees =
        new TreeSet<>(configuration.voters()).equals(idsOf(said, false))
            && new TreeSet<>(configuration.learners()).equals(idsOf(said, true));
    return agrees ? null : name + "'s raft goes by " + configuration + ", its membership is " + said.members();
  }

  private static TreeSet<Long> idsOf(MembershipView view, boolean learners) {
    return view.members().stream()
        .filter(member -> member.isLearner() == learners)
        .map(dev.kvorum.state.membership.Member::id)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /// Where a member of that name is reached.
  public static List<String> urls(String name) {
    return List.of("http://" + name + ":2380");
  }

  // ---- Life and death

  void start() {
    if (phase != Phase.DOWN) {
      return;
    }
    phase = Phase.STARTING;
    ready = false;
    String lifeName = name + "." + ++lives;
    SimHost process = new SimHost(scheduler, random.split(), lifeName);
    host = process;
    process.loops().durations(clock::simulated);
    process.loops().rejectPerMille(cluster.isHealing() ? 0 : cluster.scenario().rejectPerMille());
    LatentDisk view = new LatentDisk(disk, process, random.split(), cluster.scenario().speed());
    latent = view;
    SimLinks net = cluster.network().links(process, clock);
    links = net;
    if (cluster.isHealing()) {
      net.beFair();
      view.beFair();
    }
    process.onDeath(() -> died(process));
    scheduler.trace().event(scheduler.now(), lifeName, "starts", 0, 0);
    scheduler.spawn(process, lifeName + "/main", () -> run(process, view, net));
  }

  private void run(SimHost process, LatentDisk view, SimLinks net) {
    judgeDatabase();
    try {
      Member started =
          Member.start(process.world(clock, view), config(), net, remote, new Observer(process));
      member = started;
      id = started.memberId();
      phase = Phase.UP;
      scheduler.trace().event(scheduler.now(), process.name(), "is up", id, 0);
    } catch (IOException | RuntimeException e) {
      if (!diskSpoilt) {
        cluster.found("starts", name + " does not start on a disk that nothing was done to: " + describe(e));
      }
      process.kill("cannot start: " + e);
    }
  }

  /// What a crash left of the database is a whole state, and the same as everybody's.
  private void judgeDatabase() {
    Path file = config().dbFile();
    if (diskSpoilt || !disk.exists(file)) {
      return;
    }
    try {
      cluster.states().holds(name + "'s file", disk.contents(file));
    } catch (IOException notYetOne) {
      // the member that starts on it is about to say so, or to make it
    }
  }

  static String describe(Throwable e) {
    java.io.StringWriter text = new java.io.StringWriter();
    e.printStackTrace(new java.io.PrintWriter(text));
    return text.toString();
  }

  private final class Observer implements Member.Observer {
    private final SimHost process;

    Observer(SimHost process) {
      this.process = process;
    }

    @Override
    public void ready() {
      if (host == process) {
        ready = true;
        everReady = true;
        scheduler.trace().event(scheduler.now(), process.name(), "is ready", 0, 0);
      }
    }

    @Override
    public void halted(String what, Throwable cause) {
      scheduler.trace().event(scheduler.now(), process.name(), "halts: " + what + ": " + cause);
      boolean world = cause instanceof IOException || cause.getCause() instanceof IOException;
      if (!(world && diskSpoilt)) {
        cluster.found("runs", name + " halts (" + what + "): " + describe(cause));
      }
      if (host == process && phase != Phase.DOWN) {
        phase = Phase.HALTED;
      }
    }

    @Override
    public void removed() {
      cluster.memberRemoved(Node.this);
    }

    @Override
    public void leaderChanged(long from, long to, long term) {
      scheduler.trace().event(scheduler.now(), process.name(), "leader", to, term);
      cluster.sawLeader(Node.this, to, term);
      if (to == id) {
        cluster.logs().leads(name, term);
      }
    }

    @Override
    public void configured(ConfState now) {
      if (host == process) {
        configuration = now;
      }
    }

    @Override
    public void logBegins(long index, long term) {
      cluster.logs().begins(name, index, term);
      if (host == process && phase == Phase.UP) {
        cluster.catchesUp(Node.this);
      }
    }

    @Override
    public void logged(List<Entry> entries) {
      cluster.logs().logged(name, entries);
    }

    @Override
    public void committed(long index, long term) {
      cluster.logs().committed(name, index, term);
    }

    @Override
    public void applied(Entry entry, ApplyOutcome outcome) {
      if (scheduler.trace().isTold()) {
        scheduler
            .trace()
            .aside(scheduler.now(), process.name(), "applied " + entry.index() + " of term " + entry.term() + ": " + outcome);
      }
      cluster.logs().applied(name, entry, outcome, scheduler.now());
    }
  }

  private void died(SimHost process) {
    if (host == process) {
      LatentDisk view = latent;
      if (view != null) {
        view.discard();
      }
      if (!disk.isOff()) {
        disk.kill();
      }
      host = null;
      latent = null;
      links = null;
      member = null;
      ready = false;
      if (phase != Phase.REMOVED) {
        phase = Phase.DOWN;
      }
    }
  }

  /// The process is killed; what it has written stays.
  void kill() {
    SimHost process = host;
    if (process != null) {
      process.kill("killed");
    }
  }

  /// The same, behind an operation of its disk to come.
  void killAfter(long operations) {
    LatentDisk view = latent;
    if (view != null) {
      view.killAt(disk.operations() + operations);
    }
  }

  /// The machine loses power, now; it comes back with what `survival` leaves.
  void losePower(Survival survival) {
    disk.losePower();
    SimHost process = host;
    if (process != null) {
      process.kill("power lost");
    }
    powerBack(survival);
  }

  /// The machine loses power at an operation of its disk to come.
  void losePowerAfter(long operations) {
    disk.losePowerAt(disk.operations() + operations);
  }

  void powerBack(Survival survival) {
    if (disk.isOff()) {
      scheduler.trace().event(scheduler.now(), name, "has power again, " + survival);
    }
    disk.restart(survival, random);
  }

  /// A planned stop.
  void stop() {
    SimHost process = host;
    Member running = member;
    if (phase != Phase.UP || running == null || process == null) {
      return;
    }
    phase = Phase.STOPPING;
    scheduler.spawn(
        process,
        process.name() + "/stop",
        () -> {
          try {
            running.stop(STOP_NANOS);
          } catch (IOException | RuntimeException e) {
            if (!diskSpoilt) {
              cluster.found("stops", name + " does not stop: " + describe(e));
            }
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          process.kill("stopped");
        });
  }

  /// The disk may fail from now on, and the member with it.
  void spoilDisk() {
    diskSpoilt = true;
  }

  /// The disk is well again, once the process that saw it fail is gone.
  void repairDisk() {
    disk.faults(dev.kvorum.env.sim.Faults.NONE);
    disk.capacityBytes(Long.MAX_VALUE);
    if (host != null) {
      host.kill("its disk is looked after");
    }
    diskSpoilt = false;
  }

  boolean isHealed() {
    return healed;
  }

  boolean isDiskSpoilt() {
    return diskSpoilt;
  }

  /// All is to be well from here on: a machine that is off or whose member has given up starts again.
  void healSoon() {
    healed = true;
    disk.losePowerAt(Long.MAX_VALUE);
    if (phase == Phase.REMOVED) {
      return;
    }
    if (links != null) {
      links.beFair();
    }
    if (latent != null) {
      latent.beFair();
    }
    if (diskSpoilt || phase == Phase.HALTED) {
      repairDisk();
      losePower(Survival.RANDOM);
    }
    if (disk.isOff()) {
      powerBack(Survival.RANDOM);
    }
    untilUp();
  }

  /// As an operator, or a supervisor, would.
  private void untilUp() {
    start();
    scheduler.after(
        1_000_000_000,
        () -> {
          if (phase != Phase.REMOVED) {
            untilUp();
          }
        });
  }

  /// Its member is out of the cluster: the machine is switched off.
  public void remove() {
    phase = Phase.REMOVED;
    if (host != null) {
      host.kill("removed from the cluster");
    }
  }

  private MemberConfig config() {
    Scenario scenario = cluster.scenario();
    Path directory = Path.of("/" + name);
    return new MemberConfig(
        name,
        directory,
        directory.resolve("member").resolve("wal"),
        urls(name),
        List.of("http://" + name + ":2379"),
        remote == null ? founders : Map.of(),
        Cluster.TOKEN,
        remote != null,
        false,
        TimeUnit.MILLISECONDS.toNanos(100),
        10,
        scenario.preVote(),
        true,
        true,
        scenario.snapshotCount(),
        scenario.snapshotCatchupEntries(),
        5,
        5,
        scenario.extras().quotaBytes(),
        1_572_864,
        128,
        scenario.backendBatchNanos(),
        scenario.backendBatchOperations(),
        scenario.compactionBatchLimit(),
        TimeUnit.MILLISECONDS.toNanos(10),
        MemberConfig.AutoCompactionMode.PERIODIC,
        0,
        scenario.progressNotifyNanos(),
        TimeUnit.MILLISECONDS.toNanos(100),
        0,
        scenario.extras().leaseCheckpoint(),
        false,
        false,
        scenario.sizes().walOptions(),
        scenario.sizes().raftLimits(),
        1,
        "3.7.1",
        scenario.sizes().strides(),
        256L << 20);
  }
}
