package dev.kvorum.member;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.etcdserverpb.DefragmentRequest;
import dev.kvorum.api.etcdserverpb.LeaseKeepAliveRequest;
import dev.kvorum.api.etcdserverpb.LeaseKeepAliveResponse;
import dev.kvorum.api.etcdserverpb.LeaseTimeToLiveRequest;
import dev.kvorum.api.etcdserverpb.LeaseTimeToLiveResponse;
import dev.kvorum.api.etcdserverpb.MemberAddRequest;
import dev.kvorum.api.etcdserverpb.MemberAddResponse;
import dev.kvorum.api.etcdserverpb.MemberPromoteRequest;
import dev.kvorum.api.etcdserverpb.MemberRemoveRequest;
import dev.kvorum.api.etcdserverpb.MoveLeaderRequest;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest;
import dev.kvorum.api.etcdserverpb.WatchResponse;
import dev.kvorum.member.watch.WatchSession;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Several members, without sockets: what one says, all do.
class ClusterTest {
  @TempDir Path root;

  private static byte[] ask(java.util.function.Consumer<Reply<Encoded>> call) throws Exception {
    return LiveMember.await(LiveMember.call(call));
  }

  @Test
  void everyMemberTakesWritesAndReadsWhatAnyOtherAcknowledged() throws Exception {
    try (LiveCluster cluster = LiveCluster.found(root, 3, Map.of())) {
      for (int round = 0; round < 20; round++) {
        LiveMember writer = cluster.members.get(round % 3);
        LiveMember reader = cluster.members.get((round + 1) % 3);
        writer.put("k" + round, "v" + round);
        assertThat(reader.all().getKvsList()).hasSize(round + 1);
      }
      cluster.converge();
    }
  }

  @Test
  void aStoppedMemberCatchesUpFromTheLogWhenItComesBack() throws Exception {
    try (LiveCluster cluster = LiveCluster.found(root, 3, Map.of())) {
      int stopped = cluster.members.indexOf(cluster.follower());
      cluster.stop(stopped);
      for (int i = 0; i < 50; i++) {
        cluster.leader().put("k" + i, "v");
      }
      cluster.restart(stopped);
      cluster.converge();
    }
  }

  @Test
  void aMemberFarBehindIsSentTheDatabaseAndItsWatchersMissNothing() throws Exception {
    Map<String, Object> shortLog = Map.of("snapshotCount", 100L, "snapshotCatchupEntries", 10L);
    try (LiveCluster cluster = LiveCluster.found(root, 3, shortLog)) {
      LiveMember behind = cluster.follower();
      Semaphore signal = new Semaphore(0);
      WatchSession session = behind.member.watches().open(signal::release);
      session.create(
          WatchCreateRequest.newBuilder().setKey(LiveMember.bytes("k")).setRangeEnd(LiveMember.bytes("l")).build());
      List<Long> seen = new ArrayList<>();
      LiveMember leader = cluster.leader();
      leader.put("k", "before");
      read(session, signal, seen, 1);
      cluster.network.cutOff(behind.member.memberId());
      for (int i = 0; i < 300; i++) {
        leader.put("k" + i % 7, "v" + i);
      }
      assertThat(behind.member.currentRevision()).isEqualTo(2);
      cluster.network.heal();
      cluster.converge();
      leader.put("k", "after");
      read(session, signal, seen, 302);
      List<Long> expected = new ArrayList<>();
      for (long revision = 2; revision <= 303; revision++) {
        expected.add(revision);
      }
      assertThat(seen).isEqualTo(expected);
      assertThat(behind.put("mine", "v")).isEqualTo(304);
      int at = cluster.members.indexOf(behind);
      cluster.stop(at);
      cluster.restart(at);
      cluster.converge();
    }
  }

  @Test
  void oneSnapshotComesRightAfterAnotherAndADefragmentationGetsBetweenThem() throws Exception {
    Map<String, Object> shortLog = Map.of("snapshotCount", 100L, "snapshotCatchupEntries", 10L);
    try (LiveCluster cluster = LiveCluster.found(root, 3, shortLog)) {
      LiveMember behind = cluster.follower();
      LiveMember leader = cluster.leader();
      String large = "x".repeat(100_000); // so that a defragmentation takes several steps
      for (int i = 0; i < 30; i++) {
        leader.put("large", large);
      }
      for (int round = 0; round < 4; round++) {
        cluster.network.cutOff(behind.member.memberId());
        for (int i = 0; i < 150; i++) {
          leader.put("k" + i % 11, "round " + round);
        }
        var defragmented =
            LiveMember.call(
                reply ->
                    behind
                        .member
                        .maintenance()
                        .defragment(DefragmentRequest.getDefaultInstance(), Caller.LOCAL, reply));
        cluster.network.heal();
        long index = leader.member.appliedIndex();
        LiveCluster.await("round " + round, () -> behind.member.appliedIndex() >= index);
        defragmented.get(LiveMember.DEADLINE_SECONDS, TimeUnit.SECONDS);
      }
      cluster.converge();
      int at = cluster.members.indexOf(behind);
      cluster.stop(at);
      cluster.restart(at);
      cluster.converge();
      assertThat(cluster.members.get(at).all().getKvsList()).hasSize(12);
    }
  }

  private static void read(WatchSession session, Semaphore signal, List<Long> seen, int until) throws Exception {
    while (seen.size() < until) {
      for (Encoded next = session.poll(); next != null; next = session.poll()) {
        WatchResponse response = WatchResponse.parseFrom(next.toByteArray());
        response.getEventsList().forEach(event -> seen.add(event.getKv().getModRevision()));
      }
      if (seen.size() < until) {
        boolean came = signal.tryAcquire(LiveMember.DEADLINE_SECONDS, TimeUnit.SECONDS);
        assertThat(came).as("watch responses in time").isTrue();
      }
    }
  }

  @Test
  void aLearnerJoinsIsPromotedAndAMemberIsRemoved() throws Exception {
    try (LiveCluster cluster = LiveCluster.found(root, 1, Map.of("strictReconfigCheck", false))) {
      LiveMember first = cluster.leader();
      first.put("k", "v");
      MemberAddRequest add =
          MemberAddRequest.newBuilder().addAllPeerURLs(LiveCluster.urls("late")).setIsLearner(true).build();
      long id =
          MemberAddResponse.parseFrom(
                  ask(reply -> first.member.cluster().memberAdd(add, Caller.LOCAL, reply)))
              .getMember()
              .getID();
      MemberPromoteRequest promote = MemberPromoteRequest.newBuilder().setID(id).build();
      assertThatExceptionOfType(EtcdException.class)
          .isThrownBy(() -> ask(reply -> first.member.cluster().memberPromote(promote, Caller.LOCAL, reply)))
          .satisfies(why -> assertThat(why.error()).isEqualTo(EtcdError.LEARNER_NOT_READY));
      LiveMember late = cluster.join("late");
      assertThat(late.member.isLearner()).isTrue();
      cluster.converge();
      ask(reply -> late.member.cluster().memberPromote(promote, Caller.LOCAL, reply));
      LiveCluster.await("a voter", () -> !late.member.isLearner());
      late.put("k", "w");
      cluster.converge();

      ask(
          reply ->
              first
                  .member
                  .cluster()
                  .memberRemove(
                      MemberRemoveRequest.newBuilder().setID(first.member.memberId()).build(), Caller.LOCAL, reply));
      LiveCluster.await("the other leads", late.member::isLeader);
      assertThat(late.member.membership().members()).hasSize(1);
      late.put("k", "x");
      assertThat(late.all().getKvs(0).getVersion()).isEqualTo(3);
    }
  }

  @Test
  void leadershipIsHandedOnWhenAskedForAndBeforeAStop() throws Exception {
    try (LiveCluster cluster = LiveCluster.found(root, 3, Map.of())) {
      LiveMember old = cluster.leader();
      LiveMember heir = cluster.follower();
      MoveLeaderRequest move = MoveLeaderRequest.newBuilder().setTargetID(heir.member.memberId()).build();
      assertThatExceptionOfType(EtcdException.class)
          .isThrownBy(() -> ask(reply -> heir.member.maintenance().moveLeader(move, Caller.LOCAL, reply)))
          .satisfies(why -> assertThat(why.error()).isEqualTo(EtcdError.NOT_LEADER));
      ask(reply -> old.member.maintenance().moveLeader(move, Caller.LOCAL, reply));
      LiveCluster.await("the heir leads", heir.member::isLeader);
      Semaphore done = new Semaphore(0);
      heir.member.handOver(done::release);
      assertThat(done.tryAcquire(LiveMember.DEADLINE_SECONDS, TimeUnit.SECONDS)).isTrue();
      assertThat(heir.member.isLeader()).isFalse();
      cluster.leader().put("k", "v");
      cluster.converge();
    }
  }

  @Test
  void aLeaseIsRenewedThroughAnyMemberAndOutlivesItsLeader() throws Exception {
    try (LiveCluster cluster = LiveCluster.found(root, 3, Map.of())) {
      LiveMember follower = cluster.follower();
      follower.grant(7, 60);
      follower.put("k", "v", 7);
      assertThat(keepAlive(follower, 7)).isEqualTo(60);
      assertThat(keepAlive(follower, 8)).isZero();
      LeaseTimeToLiveResponse times = timeToLive(follower, 7);
      assertThat(times.getGrantedTTL()).isEqualTo(60);
      assertThat(times.getTTL()).isBetween(1L, 60L);
      assertThat(times.getKeysList()).containsExactly(LiveMember.bytes("k"));
      assertThat(timeToLive(follower, 8).getTTL()).isEqualTo(-1);

      LiveMember leader = cluster.leader();
      cluster.network.cutOff(leader.member.memberId());
      LiveCluster.await(
          "another leader",
          () -> cluster.members.stream().anyMatch(live -> live != leader && live.member.isLeader()));
      assertThat(keepAlive(follower, 7)).isEqualTo(60);
      cluster.network.heal();
      LiveCluster.await("one leader", () -> !leader.member.isLeader());
      assertThat(keepAlive(leader, 7)).isEqualTo(60);
      cluster.converge();
    }
  }

  private static long keepAlive(LiveMember live, long id) throws Exception {
    LeaseKeepAliveRequest request = LeaseKeepAliveRequest.newBuilder().setID(id).build();
    return LeaseKeepAliveResponse.parseFrom(
            ask(reply -> live.member.leases().keepAlive(request, Caller.LOCAL, reply)))
        .getTTL();
  }

  private static LeaseTimeToLiveResponse timeToLive(LiveMember live, long id) throws Exception {
    LeaseTimeToLiveRequest request = LeaseTimeToLiveRequest.newBuilder().setID(id).setKeys(true).build();
    return LeaseTimeToLiveResponse.parseFrom(
        ask(reply -> live.member.leases().timeToLive(request, Caller.LOCAL, reply)));
  }
}
