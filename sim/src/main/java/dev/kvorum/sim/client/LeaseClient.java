package dev.kvorum.sim.client;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvorum.api.EtcdError;
import dev.kvorum.api.etcdserverpb.LeaseGrantRequest;
import dev.kvorum.api.etcdserverpb.LeaseGrantResponse;
import dev.kvorum.api.etcdserverpb.LeaseKeepAliveRequest;
import dev.kvorum.api.etcdserverpb.LeaseKeepAliveResponse;
import dev.kvorum.env.Bytes;
import dev.kvorum.sim.cluster.Cluster;
import dev.kvorum.sim.cluster.Node;
import dev.kvorum.sim.model.Answer;
import dev.kvorum.sim.model.Operation;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.SimHost;
import dev.kvorum.state.Request;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// A client that holds a lease with one key on it for a while: what sessions, locks and elections stand on. It notes when
/// it renewed it last, and when it learned that it is gone.
public final class LeaseClient {
  private final Cluster cluster;
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final Memory memory;
  private final Caller caller;
  private final int number;
  private int granted;

  public LeaseClient(Cluster cluster, SplittableRandom random, Memory memory, int number) {
    this.cluster = cluster;
    this.scheduler = cluster.scheduler();
    this.random = random;
    this.memory = memory;
    this.number = number;
    this.caller = new Caller(cluster, random.split(), "lease" + number);
  }

  public void begin() {
    scheduler.spawn(
        null,
        "lease" + number,
        () -> {
          while (!cluster.isHealing()) {
            scheduler.sleep(random.nextLong(3_000_000_000L));
            hold();
          }
        });
  }

  /// Nobody waits for long for a member that does not answer: mostly it is one that is not paused.
  private @Nullable Node node() {
    Node node = cluster.anyUp(random);
    for (int i = 0; i < 3 && isPaused(node) && random.nextInt(4) > 0; i++) {
      node = cluster.anyUp(random);
    }
    return node;
  }

  private static boolean isPaused(@Nullable Node node) {
    SimHost host = node == null ? null : node.host();
    return host != null && host.isPaused();
  }

  /// What holds up a lease of minutes is checkpoints, of a few seconds who renews it.
  private int ttlSeconds() {
    return cluster.scenario().extras().longLeases() && random.nextBoolean()
        ? 305 + random.nextInt(cluster.scenario().leaseSecondsMax() - 305)
        : 1 + random.nextInt(8);
  }

  private void hold() {
    Leasing lease = grant();
    if (lease == null || !put(lease)) {
      return;
    }
    long until = scheduler.now() + random.nextLong(Math.max(20_000_000_000L, lease.ttlNanos));
    if (random.nextBoolean()) {
      renew(lease); // perhaps by one who does not know it yet
    }
    long removals = removals();
    boolean staysOn = random.nextBoolean();
    while (lease.goneNanos == 0 && scheduler.now() < until && !cluster.isHealing()) {
      scheduler.sleep(random.nextLong(lease.ttlNanos / 2 + 1));
      if (!staysOn && removals() > removals) {
        break; // who renewed it last may be gone
      }
      if (random.nextInt(3) == 0) {
        look(lease);
      } else {
        renew(lease);
      }
    }
    for (int i = 0; i < 4 && lease.goneNanos == 0; i++) {
      scheduler.sleep(random.nextLong(lease.ttlNanos + 1));
      look(lease);
    }
  }

  private long removals() {
    return cluster.nodes().stream().filter(node -> node.phase() == Node.Phase.REMOVED).count();
  }

  private @Nullable Leasing grant() {
    Node node = node();
    if (node == null) {
      return null;
    }
    long id = 1_000L * (number + 1) + ++granted;
    Request.LeaseGrant request = new Request.LeaseGrant(ttlSeconds(), id);
    long asked = scheduler.now();
    long ticket = memory.ask(100 + number, request, asked);
    Heard heard = caller.ask(node, 6_000_000_000L, (member, from, reply) ->
        member.leases().grant(
            LeaseGrantRequest.newBuilder().setID(id).setTTL(request.ttl()).build(), from, reply));
    memory.settle(ticket);
    if (heard instanceof Heard.Answered answered) {
      Leasing lease = new Leasing(id, Bytes.utf8("lease/" + id));
      lease.renewalsAskedNanos.add(asked);
      try {
        lease.ttlNanos = LeaseGrantResponse.parseFrom(answered.bytes()).getTTL() * 1_000_000_000L;
      } catch (InvalidProtocolBufferException e) {
        throw new IllegalStateException(e);
      }
      memory.leases().add(lease);
      remember(request, asked, Answer.decode(request, answered.bytes()));
      return lease;
    }
    if (!(heard instanceof Heard.NotAsked)) {
      remember(request, asked, null);
    }
    return null;
  }

  private void remember(Request request, long asked, @Nullable Answer answer) {
    Operation operation =
        answer == null
            ? Operation.unknown(100 + number, request, asked)
            : new Operation(100 + number, request, asked, scheduler.now(), answer);
    memory.remember(operation, false);
    scheduler.trace().event(scheduler.now(), "lease" + number, operation);
  }

  /// @return whether the key hangs on the lease for sure
  private boolean put(Leasing lease) {
    Node node = node();
    if (node == null) {
      return false;
    }
    Request.Put put = new Request.Put(lease.key, Bytes.utf8("held by " + lease.id), lease.id, false, false, false);
    long asked = scheduler.now();
    long ticket = memory.ask(100 + number, put, asked);
    Heard heard = caller.ask(node, 6_000_000_000L, (member, from, reply) -> member.kv().put(put, from, reply));
    memory.settle(ticket);
    switch (heard) {
      case Heard.Answered answered -> {
        remember(put, asked, Answer.decode(put, answered.bytes()));
        return true;
      }
      case Heard.Refused refused when refused.why().error() == EtcdError.LEASE_NOT_FOUND -> {
        remember(put, asked, new Answer.Refused(EtcdError.LEASE_NOT_FOUND));
        gone(lease, "a put is told that there is no such lease");
        return false;
      }
      case Heard.NotAsked _ -> {
        return false;
      }
      default -> {
        remember(put, asked, null);
        return false;
      }
    }
  }

  private void renew(Leasing lease) {
    Node node = node();
    if (node == null) {
      return;
    }
    long asked = scheduler.now();
    Heard heard = caller.ask(node, 5_000_000_000L, (member, from, reply) ->
        member.leases().keepAlive(LeaseKeepAliveRequest.newBuilder().setID(lease.id).build(), from, reply));
    if (heard instanceof Heard.Answered answered) {
      try {
        long ttl = LeaseKeepAliveResponse.parseFrom(answered.bytes()).getTTL();
        scheduler.trace().event(scheduler.now(), "lease" + number, "renewed", lease.id, ttl);
        if (ttl > 0) {
          lease.renewalsAskedNanos.add(asked);
        } else {
          gone(lease, "a renewal by " + node.name() + " is told that it is gone");
        }
      } catch (InvalidProtocolBufferException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private void look(Leasing lease) {
    Node node = node();
    if (node == null) {
      return;
    }
    Request.Range get = Request.Range.of(lease.key, Bytes.EMPTY);
    long asked = scheduler.now();
    Heard heard = caller.ask(node, 6_000_000_000L, (member, from, reply) -> member.kv().range(get, from, reply));
    if (heard instanceof Heard.Answered answered) {
      Answer answer = Answer.decode(get, answered.bytes());
      remember(get, asked, answer);
      if (answer instanceof Answer.Ranged ranged && ranged.kvs().isEmpty()) {
        gone(lease, "its key is not there any more, says " + node.name());
      }
    }
  }

  private void gone(Leasing lease, String by) {
    if (lease.goneNanos == 0) {
      lease.goneNanos = scheduler.now();
      lease.goneBy = by;
    }
  }
}
