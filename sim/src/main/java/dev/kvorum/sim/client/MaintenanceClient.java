package dev.kvorum.sim.client;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvorum.api.etcdserverpb.DefragmentRequest;
import dev.kvorum.api.etcdserverpb.HashKVRequest;
import dev.kvorum.api.etcdserverpb.HashKVResponse;
import dev.kvorum.api.etcdserverpb.LeaseLeasesRequest;
import dev.kvorum.api.etcdserverpb.LeaseLeasesResponse;
import dev.kvorum.api.etcdserverpb.StatusRequest;
import dev.kvorum.sim.cluster.Cluster;
import dev.kvorum.sim.cluster.Node;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.SimHost;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// An operator: compares hashes, defragments, asks how it goes.
public final class MaintenanceClient {
  private final Cluster cluster;
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final Memory memory;
  private final Caller caller;

  public MaintenanceClient(Cluster cluster, SplittableRandom random, Memory memory) {
    this.cluster = cluster;
    this.scheduler = cluster.scheduler();
    this.random = random;
    this.memory = memory;
    this.caller = new Caller(cluster, random.split(), "operator");
  }

  public void begin() {
    scheduler.spawn(
        null,
        "operator",
        () -> {
          while (!cluster.isHealing()) {
            scheduler.sleep(random.nextLong(2_000_000_000L));
            Node node = cluster.anyUp(random);
            if (node != null) {
              act(node);
            }
          }
        });
    cluster.onCatchingUp(this::defragmentMeanwhile);
  }

  /// For a while a database is defragmented that another is about to replace: which comes first, and what gets between,
  /// is up to a loop that is slow.
  private void defragmentMeanwhile(Node node) {
    if (random.nextBoolean()) {
      scheduler.spawn(
          null,
          "operator",
          () -> {
            SimHost host = node.host();
            if (host != null && random.nextBoolean()) {
              host.starve("backend", 1_000_000L << random.nextInt(8));
            }
            scheduler.sleep(random.nextLong(1_000_000L << random.nextInt(6)));
            defragment(node);
          });
    }
  }

  private void act(Node node) {
    switch (random.nextInt(6)) {
      case 0, 1 -> defragment(node);
      case 2 ->
          caller.ask(node, 5_000_000_000L, (member, from, reply) ->
              member.maintenance().status(StatusRequest.getDefaultInstance(), from, reply));
      default -> hash(node, random.nextBoolean() ? 0 : Math.max(1, memory.newestRevision() - random.nextInt(20)));
    }
  }

  /// @return whether it was answered
  public boolean defragment(Node node) {
    return caller.ask(node, 5_000_000_000L, (member, from, reply) ->
        member.maintenance().defragment(DefragmentRequest.getDefaultInstance(), from, reply)) instanceof Heard.Answered;
  }

  /// How many leases `node` knows; -1 when it does not say.
  public int countLeases(Node node) {
    Heard heard = caller.ask(node, 5_000_000_000L, (member, from, reply) ->
        member.leases().list(LeaseLeasesRequest.getDefaultInstance(), from, reply));
    if (!(heard instanceof Heard.Answered answered)) {
      return -1;
    }
    try {
      return LeaseLeasesResponse.parseFrom(answered.bytes()).getLeasesCount();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException(e);
    }
  }

  /// @param revision 0 for the newest
  public Memory.@Nullable KeyHash hash(Node node, long revision) {
    Heard heard = caller.ask(node, 10_000_000_000L, (member, from, reply) ->
        member.maintenance().hashKv(HashKVRequest.newBuilder().setRevision(revision).build(), from, reply));
    if (!(heard instanceof Heard.Answered answered)) {
      return null;
    }
    try {
      HashKVResponse response = HashKVResponse.parseFrom(answered.bytes());
      Memory.KeyHash hash =
          new Memory.KeyHash(
              node.name(), response.getHashRevision(), response.getCompactRevision(), response.getHash());
      scheduler.trace().event(scheduler.now(), "operator", hash);
      memory.hashes().add(hash);
      return hash;
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException(e);
    }
  }
}
