package dev.kvorum.sim.cluster;

import dev.kvorum.env.sim.Fault;
import dev.kvorum.env.sim.OperationKind;
import dev.kvorum.env.sim.Survival;
import dev.kvorum.sim.net.Weather;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.SimHost;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// What goes wrong in act one, one thing after another.
public final class Trouble {
  private final Cluster cluster;
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private int happened;

  public Trouble(Cluster cluster, SplittableRandom random) {
    this.cluster = cluster;
    this.scheduler = cluster.scheduler();
    this.random = random;
  }

  public int happened() {
    return happened;
  }

  public void begin() {
    if (cluster.scenario().troubleEveryNanos() > 0) {
      next();
      if (cluster.scenario().extras().leavesBehind()) {
        leaveBehind();
      }
    }
  }

  private void next() {
    long every = cluster.scenario().troubleEveryNanos();
    scheduler.after(
        every / 2 + random.nextLong(every),
        () -> {
          if (!cluster.isHealing()) {
            happened++;
            happen();
            next();
          }
        });
  }

  private void happen() {
    List<Node> nodes = cluster.members();
    if (nodes.isEmpty()) {
      return;
    }
    Node node = nodes.get(random.nextInt(nodes.size()));
    Node leader = cluster.leader();
    if (leader != null && random.nextInt(3) == 0) {
      node = leader;
    }
    if (cluster.damage().concerns(node)) {
      return; // one thing after another
    }
    if (isExtra(node, leader)) {
      return;
    }
    switch (random.nextInt(20)) {
      case 0 -> {
        node.kill();
        comeBack(node);
      }
      case 1 -> {
        node.killAfter(random.nextInt(1 << random.nextInt(9)));
        comeBack(node);
      }
      case 2, 3 -> {
        node.losePower(survival());
        comeBack(node);
      }
      case 4, 5, 6 -> {
        node.losePowerAfter(random.nextInt(1 << random.nextInt(9)));
        comeBack(node);
      }
      case 7 -> {
        node.stop();
        comeBack(node);
      }
      case 8 -> pause(node);
      case 9, 10 -> starve(node);
      case 11 -> node.clock().jump(random.nextLong(200_000) - 100_000);
      case 12, 13, 14 -> cut(node, nodes);
      case 15 -> cluster.network().weather(Weather.draw(random));
      case 16, 17 -> spoil(node);
      case 18 -> powerOutage(nodes);
      default -> cluster.network().heal();
    }
  }

  /// What is in some stories only. @return whether it was its turn, and has happened
  private boolean isExtra(Node node, @Nullable Node leader) {
    Scenario.Extras extras = cluster.scenario().extras();
    if ((extras.rots() || extras.losesFiles()) && random.nextInt(8) == 0) {
      damage(node);
      return true;
    }
    SimHost leading = leader == null ? null : leader.host();
    if (extras.pausesLeaders() && leading != null && random.nextInt(4) == 0) {
      leading.pause(1_000_000_000L + random.nextLong(8_000_000_000L));
      return true;
    }
    return false;
  }

  /// Somebody hears nothing while the others go on without what he lacks, one after another.
  private void leaveBehind() {
    scheduler.after(
        200_000_000L + random.nextLong(1_500_000_000L),
        () -> {
          List<Node> nodes = cluster.members();
          if (!cluster.isHealing()) {
            Node leader = cluster.leader();
            leaveBehind(leader != null && random.nextInt(4) == 0 ? leader : nodes.get(random.nextInt(nodes.size())));
          }
        });
  }

  /// His power may fail while he is brought up to date.
  private void leaveBehind(Node node) {
    happened++;
    List<Long> others = cluster.members().stream().map(Node::id).filter(id -> id != node.id()).toList();
    cluster.network().partition(List.of(node.id()), others);
    scheduler.after(
        300_000_000L + random.nextLong(3_000_000_000L),
        () -> {
          cluster.network().heal();
          if (random.nextInt(3) == 0 && !cluster.isHealing() && !cluster.damage().concerns(node)) {
            node.losePowerAfter(random.nextInt(100));
            comeBack(node);
          }
          leaveBehind();
        });
  }

  /// The machine goes off, and its files are no longer what they were.
  private void damage(Node node) {
    if (node.isDiskSpoilt()) {
      return;
    }
    if (random.nextBoolean()) {
      node.kill();
    } else {
      node.losePower(survival());
    }
    if (node.disk().isOff()) {
      node.powerBack(survival());
    }
    node.disk().losePowerAt(Long.MAX_VALUE);
    cluster.damage().befall(node);
  }

  private Survival survival() {
    Survival[] all = Survival.values();
    Survival drawn = all[random.nextInt(all.length)];
    // sectors torn inside are not what etcd's log can stand: it trusts a sector to be written wholly or not at all
    return drawn == Survival.RANDOM_TORN ? Survival.RANDOM : drawn;
  }

  private void comeBack(Node node) {
    long delay = 1_000_000L << random.nextInt(14);
    scheduler.after(delay, () -> {
      if (!cluster.isHealing()) {
        bringBack(node);
      }
    });
  }

  private void bringBack(Node node) {
    if (node.isDiskSpoilt()) {
      return; // once it is repaired
    }
    if (node.disk().isOff()) {
      node.powerBack(survival());
    }
    node.start();
    if (random.nextInt(4) == 0) {
      node.losePowerAfter(random.nextInt(100)); // before what the start has found is looked after
      comeBack(node);
    }
  }

  private void pause(Node node) {
    SimHost host = node.host();
    if (host != null) {
      host.pause(10_000_000L << random.nextInt(11));
    }
  }

  private void starve(Node node) {
    SimHost host = node.host();
    if (host != null) {
      host.starve(10_000_000L << random.nextInt(10));
    }
  }

  private void cut(Node node, List<Node> nodes) {
    List<Long> some = new ArrayList<>();
    List<Long> others = new ArrayList<>();
    switch (random.nextInt(3)) {
      case 0 -> { // one is alone
        some.add(node.id());
        nodes.stream().map(Node::id).filter(id -> id != node.id()).forEach(others::add);
        cluster.network().partition(some, others);
      }
      case 1 -> { // two sides
        nodes.forEach(each -> (random.nextBoolean() ? some : others).add(each.id()));
        cluster.network().partition(some, others);
      }
      default -> { // one way
        Node other = nodes.get(random.nextInt(nodes.size()));
        cluster.network().cut(node.id(), other.id());
      }
    }
    if (random.nextInt(4) > 0) {
      scheduler.after(100_000_000L << random.nextInt(8), cluster.network()::heal);
    }
  }

  /// The disk fails, as disks do: the member must stop, and acknowledge nothing that is not safe.
  private void spoil(Node node) {
    if (!cluster.scenario().diskFaults() || node.isDiskSpoilt()) {
      return;
    }
    node.spoilDisk();
    OperationKind[] kinds = {
      OperationKind.SYNC, OperationKind.WRITE, OperationKind.CREATE, OperationKind.RENAME, OperationKind.SYNC_DIRECTORY,
      OperationKind.ALLOCATE
    };
    OperationKind kind = kinds[random.nextInt(kinds.length)];
    int how = random.nextInt(3);
    scheduler.trace().event(scheduler.now(), node.name(), "has a bad disk", how, kind.ordinal());
    switch (how) {
      case 0 -> node.disk().capacityBytes(node.disk().usedBytes() + random.nextInt(1 << 20));
      case 1 -> node.disk().faults(dev.kvorum.env.sim.Faults.all(kind, Fault.IO_ERROR));
      default -> {
        long at = node.disk().operations() + random.nextInt(200);
        node.disk().faults(dev.kvorum.env.sim.Faults.at(at, random.nextBoolean() ? Fault.IO_ERROR : Fault.NO_SPACE));
      }
    }
    scheduler.after(100_000_000L << random.nextInt(7), () -> repair(node));
  }

  /// What a disk that failed to sync may have kept is not to be trusted: the machine goes off and on again.
  void repair(Node node) {
    if (node.isDiskSpoilt() && !cluster.isHealing()) {
      node.repairDisk();
      node.losePower(survival());
      comeBack(node);
    }
  }

  private void powerOutage(List<Node> nodes) {
    for (Node node : nodes) {
      if (!cluster.damage().concerns(node)) {
        node.losePower(survival());
        comeBack(node);
      }
    }
  }
}
