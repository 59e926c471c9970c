package dev.kvorum.sim.client;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvorum.api.etcdserverpb.AlarmMember;
import dev.kvorum.api.etcdserverpb.AlarmRequest;
import dev.kvorum.api.etcdserverpb.AlarmResponse;
import dev.kvorum.api.etcdserverpb.AlarmType;
import dev.kvorum.api.etcdserverpb.DefragmentRequest;
import dev.kvorum.env.Bytes;
import dev.kvorum.sim.cluster.Cluster;
import dev.kvorum.sim.cluster.Node;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.state.Request;
import java.util.List;
import java.util.SplittableRandom;

/// An operator who answers the alarm that a database has reached its quota, as etcd's manual says: compacts history,
/// defragments every member, disarms. Where that is not enough he deletes keys first. In act one he is slow, and now and
/// then disarms without having made room.
public final class SpaceClient {
  private static final long TIMEOUT_NANOS = 10_000_000_000L;

  private final Cluster cluster;
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final Memory memory;
  private final KvClient keys;
  private final Caller caller;
  private int again;
  private boolean keepsKeys;
  private boolean deleting;

  /// @param keys who deletes and compacts for him
  public SpaceClient(Cluster cluster, SplittableRandom random, Memory memory, KvClient keys) {
    this.cluster = cluster;
    this.scheduler = cluster.scheduler();
    this.random = random;
    this.memory = memory;
    this.keys = keys;
    this.caller = new Caller(cluster, random.split(), "space");
  }

  public void begin() {
    scheduler.spawn(
        null,
        "space",
        () -> {
          while (true) {
            scheduler.sleep(cluster.isHealing() ? 200_000_000 : 200_000_000 + random.nextLong(6_000_000_000L));
            Node node = cluster.anyUp(random);
            if (node != null) {
              answer(node);
            }
          }
        });
  }

  /// From now on no key is deleted any more. @return whether none is being deleted either
  public boolean keepsKeys() {
    keepsKeys = true;
    return !deleting;
  }

  private void answer(Node node) {
    List<AlarmMember> alarms = ask(node, AlarmRequest.AlarmAction.GET, 0);
    if (alarms.isEmpty()) {
      again = 0;
      return;
    }
    scheduler.trace().event(scheduler.now(), "space", "hears of " + alarms.size() + " alarms from " + node.name());
    if (cluster.isHealing() || random.nextInt(4) > 0) {
      makeRoom(node);
    }
    for (AlarmMember alarm : alarms) {
      ask(node, AlarmRequest.AlarmAction.DEACTIVATE, alarm.getMemberID());
    }
    again++;
  }

  private void makeRoom(Node node) {
    if ((again > 1 || random.nextInt(3) == 0) && !keepsKeys) {
      deleting = true;
      keys.insist(new Request.DeleteRange(Bytes.utf8("k"), Bytes.utf8("l"), false), node, TIMEOUT_NANOS);
      deleting = false;
    }
    keys.insist(new Request.Compact(memory.newestRevision(), true), node, 1_000_000_000L);
    for (Node each : cluster.members()) {
      if (each.member() != null) {
        caller.ask(each, TIMEOUT_NANOS, (member, from, reply) ->
            member.maintenance().defragment(DefragmentRequest.getDefaultInstance(), from, reply));
      }
    }
  }

  private List<AlarmMember> ask(Node node, AlarmRequest.AlarmAction action, long memberId) {
    AlarmRequest request =
        AlarmRequest.newBuilder().setAction(action).setMemberID(memberId).setAlarm(AlarmType.NOSPACE).build();
    Heard heard = caller.ask(node, TIMEOUT_NANOS, (member, from, reply) ->
        member.maintenance().alarm(request, from, reply));
    if (!(heard instanceof Heard.Answered answered)) {
      return List.of();
    }
    try {
      return AlarmResponse.parseFrom(answered.bytes()).getAlarmsList();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException(e);
    }
  }
}
