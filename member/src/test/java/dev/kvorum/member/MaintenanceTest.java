package dev.kvorum.member;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.etcdserverpb.AlarmRequest;
import dev.kvorum.api.etcdserverpb.AlarmType;
import dev.kvorum.api.etcdserverpb.DefragmentRequest;
import dev.kvorum.api.etcdserverpb.HashKVRequest;
import dev.kvorum.api.etcdserverpb.HashKVResponse;
import dev.kvorum.api.etcdserverpb.HashRequest;
import dev.kvorum.api.etcdserverpb.SnapshotRequest;
import dev.kvorum.api.etcdserverpb.SnapshotResponse;
import dev.kvorum.api.etcdserverpb.StatusRequest;
import dev.kvorum.api.etcdserverpb.StatusResponse;
import dev.kvorum.env.RealDisk;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Defragmentation, snapshots, compaction, quota and versions of a running member.
class MaintenanceTest {
  @TempDir Path directory;

  @Test
  void defragmentationsGoOnBesideWritesAndTwoAtOnceAreBothAnswered() throws Exception {
    try (LiveMember live = LiveMember.start(directory)) {
      String large = "x".repeat(50_000);
      for (int i = 0; i < 100; i++) {
        live.put("k" + i % 5, large);
      }
      live.compact(live.put("k0", "small"), true);
      long before = live.member.backendSize().bytes();
      CompletableFuture<byte[]> first = defragment(live);
      CompletableFuture<byte[]> second = defragment(live);
      List<CompletableFuture<byte[]>> puts = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        puts.add(live.putSoon("meanwhile" + i, "v"));
      }
      assertThat(LiveMember.await(first)).isEmpty();
      assertThat(LiveMember.await(second)).isEmpty();
      for (CompletableFuture<byte[]> put : puts) {
        LiveMember.await(put);
      }
      assertThat(live.member.backendSize().bytes()).isLessThan(before / 2);
      assertThat(live.all().getCount()).isEqualTo(505);
    }
    try (LiveMember again = LiveMember.start(directory)) {
      assertThat(again.all().getCount()).isEqualTo(505);
    }
  }

  @Test
  void aSnapshotTakenBesideWritesIsAWholeDb() throws Exception {
    Path restored = directory.resolve("restored");
    Path data = directory.resolve("data");
    int hash;
    long revision = 0;
    try (LiveMember live = LiveMember.start(data)) {
      for (int i = 0; i < 300; i++) {
        revision = live.put("k" + i, "v".repeat(500));
      }
      hash = hashKv(live, revision);
      CompletableFuture<List<SnapshotResponse>> snapshot = snapshot(live);
      List<CompletableFuture<byte[]>> beside = new ArrayList<>();
      for (int i = 0; i < 1_000; i++) {
        beside.add(live.putSoon("later" + i, "v".repeat(500)));
      }
      List<SnapshotResponse> parts = snapshot.get(LiveMember.DEADLINE_SECONDS, TimeUnit.SECONDS);
      byte[] db = verified(parts);
      for (CompletableFuture<byte[]> put : beside) {
        LiveMember.await(put); // a log that is copied while it is written is none
      }
      new TestDisk().image(data, restored);
      Files.write(LiveMember.config(restored, Map.of()).dbFile(), db);
    }
    // the log brings it up to date
    try (LiveMember again = LiveMember.start(restored)) {
      assertThat(again.all(revision).getCount()).isEqualTo(300);
      assertThat(hashKv(again, revision)).isEqualTo(hash);
    }
  }

  private static byte[] verified(List<SnapshotResponse> parts) throws Exception {
    ByteArrayOutputStream db = new ByteArrayOutputStream();
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (SnapshotResponse part : parts.subList(0, parts.size() - 1)) {
      assertThat(part.getVersion()).isEqualTo("3.7.0");
      digest.update(part.getBlob().toByteArray());
      part.getBlob().writeTo(db);
    }
    SnapshotResponse last = parts.getLast();
    assertThat(last.getRemainingBytes()).isZero();
    assertThat(last.getBlob()).isEqualTo(ByteString.copyFrom(digest.digest()));
    return db.toByteArray();
  }

  @Test
  void raftSnapshotsLetTheLogGo() throws Exception {
    Map<String, Object> often =
        Map.of(
            "snapshotCount", 50L, "snapshotCatchupEntries", 10L, "backendBatchNanos", 1_000_000L,
            "memoryBytes", 1L << 30);
    String large = "x".repeat(1_000_000);
    try (LiveMember live = LiveMember.start(LiveMember.config(directory, often), new RealDisk())) {
      for (int i = 0; i < 200; i++) {
        live.put("k" + i % 3, large);
      }
      assertThat(files("wal", ".wal")).as("segments are cut").hasSizeGreaterThan(2);
      assertThat(files("snap", ".snap")).isNotEmpty();
    }
    try (LiveMember again = LiveMember.start(directory)) {
      assertThat(again.all().getCount()).isEqualTo(3);
      assertThat(again.put("k", "v")).isEqualTo(202);
    }
  }

  private List<String> files(String kind, String suffix) throws Exception {
    try (Stream<Path> files = Files.list(directory.resolve("member").resolve(kind))) {
      return files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(suffix)).toList();
    }
  }

  @Test
  void aPhysicalCompactionIsAnsweredOnceTheFileIsSmaller() throws Exception {
    try (LiveMember live = LiveMember.start(directory)) {
      for (int i = 0; i < 3_000; i++) {
        live.putSoon("k", "v".repeat(1_000));
      }
      long revision = live.put("k", "last");
      flush(live);
      long before = live.member.backendSize().inUseBytes();
      live.compact(revision, true);
      assertThat(live.member.backendSize().inUseBytes()).isLessThan(before / 2);
      assertThatThrownBy(() -> live.all(revision - 1)).hasMessageContaining("has been compacted");
      assertThatThrownBy(() -> live.compact(revision, false)).hasMessageContaining("has been compacted");
      assertThatThrownBy(() -> live.compact(revision + 1, false)).hasMessageContaining("future revision");
    }
  }

  @Test
  void aFullDbRaisesItsAlarmTakesNoMoreAndIsWonBack() throws Exception {
    Map<String, Object> small = Map.of("quotaBytes", 1L << 20, "backendBatchNanos", 1_000_000L);
    try (LiveMember live = LiveMember.start(LiveMember.config(directory, small), new RealDisk())) {
      EtcdException full = fill(live);
      assertThat(full).hasMessageContaining("etcdserver: mvcc: database space exceeded");
      AlarmRequest get = AlarmRequest.getDefaultInstance();
      assertThat(live.alarm(get).getAlarmsList())
          .extracting(alarm -> alarm.getAlarm().name())
          .containsExactly("NOSPACE");
      assertThatThrownBy(() -> live.grant(0, 10)).hasMessageContaining("database space exceeded");
      StatusResponse status = status(live);
      assertThat(status.getErrorsList()).hasSize(1).first().asString().contains("alarm:NOSPACE");
      long revision = live.all().getHeader().getRevision();
      live.delete("k0");
      live.compact(revision, true);
      LiveMember.await(defragment(live));
      assertThatThrownBy(() -> live.put("k", "v")).as("until it is disarmed").hasMessageContaining("space exceeded");
      live.alarm(
          AlarmRequest.newBuilder()
              .setAction(AlarmRequest.AlarmAction.DEACTIVATE)
              .setAlarm(AlarmType.NOSPACE)
              .setMemberID(live.member.memberId())
              .build());
      live.put("k", "v");
    }
  }

  private static EtcdException fill(LiveMember live) throws Exception {
    for (int i = 0; ; i++) {
      try {
        live.put("k0", "x".repeat(50_000));
      } catch (EtcdException full) {
        return full;
      }
      assertThat(i).as("puts of 50 kB into 1 MiB").isLessThan(1_000);
    }
  }

  @Test
  void leasesAreRaisedToTheLeastTtlAndListedByTheirEnd() throws Exception {
    try (LiveMember live = LiveMember.start(directory)) {
      assertThat(live.grant(1, 3_000).getTTL()).isEqualTo(3_000);
      assertThat(live.grant(2, 1_000).getTTL()).isEqualTo(1_000);
      assertThat(live.grant(3, -5).getTTL()).isEqualTo(1);
      assertThat(live.grant(4, 2_000).getTTL()).isEqualTo(2_000);
      assertThat(live.leases().getLeasesList()).extracting(lease -> lease.getID()).containsSubsequence(2L, 4L, 1L);
      assertThatThrownBy(() -> live.grant(1, 10)).hasMessageContaining("lease already exists");
      assertThatThrownBy(() -> live.grant(9, 9_000_000_001L)).hasMessageContaining("too large lease TTL");
    }
    try (LiveMember again = LiveMember.start(directory)) {
      assertThat(again.leases().getLeasesList()).extracting(lease -> lease.getID()).contains(1L, 2L, 4L);
      again.put("k", "v", 4);
    }
  }

  @Test
  void aFreshClusterIsAtOurVersionFromItsFirstEntries() throws Exception {
    try (LiveMember live = LiveMember.start(directory)) {
      live.put("k", "v");
      StatusResponse status = status(live);
      assertThat(live.member.clusterVersion()).isEqualTo("3.7.0");
      assertThat(status.getStorageVersion()).isEqualTo("3.7.0");
      assertThat(status.getRaftIndex()).isEqualTo(5);
      assertThat(status.getRaftTerm()).isEqualTo(2);
    }
  }

  @Test
  void historyIsForgottenByItselfByAge() throws Exception {
    Map<String, Object> aged = Map.of("autoCompactionRetention", TimeUnit.MILLISECONDS.toNanos(200));
    try (LiveMember live = LiveMember.start(LiveMember.config(directory, aged), new RealDisk())) {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LiveMember.DEADLINE_SECONDS);
      long compacted = -1;
      for (int i = 0; compacted < 5 && System.nanoTime() < deadline; i++) {
        live.put("k", "v" + i);
        try (var view = live.member.view()) {
          compacted = view.compactRevision();
        }
      }
      assertThat(compacted).isGreaterThanOrEqualTo(5);
    }
  }

  // ---- Calls ----

  private static CompletableFuture<byte[]> defragment(LiveMember live) {
    return LiveMember.call(
        reply -> live.member.maintenance().defragment(DefragmentRequest.getDefaultInstance(), Caller.LOCAL, reply));
  }

  /// The hash of the whole db, which has everything in it by then.
  private static void flush(LiveMember live) throws Exception {
    LiveMember.await(
        LiveMember.call(
            reply -> live.member.maintenance().hash(HashRequest.getDefaultInstance(), Caller.LOCAL, reply)));
  }

  private static StatusResponse status(LiveMember live) throws Exception {
    return StatusResponse.parseFrom(
        LiveMember.await(
            LiveMember.call(
                reply ->
                    live.member.maintenance().status(StatusRequest.getDefaultInstance(), Caller.LOCAL, reply))));
  }

  private static int hashKv(LiveMember live, long revision) throws Exception {
    HashKVRequest request = HashKVRequest.newBuilder().setRevision(revision).build();
    return HashKVResponse.parseFrom(
            LiveMember.await(
                LiveMember.call(reply -> live.member.maintenance().hashKv(request, Caller.LOCAL, reply))))
        .getHash();
  }

  private static CompletableFuture<List<SnapshotResponse>> snapshot(LiveMember live) {
    CompletableFuture<List<SnapshotResponse>> whole = new CompletableFuture<>();
    List<SnapshotResponse> parts = new ArrayList<>();
    live.member
        .maintenance()
        .snapshot(
            SnapshotRequest.getDefaultInstance(),
            Caller.LOCAL,
            new StreamReply<>() {
              @Override
              public void next(Encoded answer) {
                try {
                  parts.add(SnapshotResponse.parseFrom(answer.toByteArray()));
                } catch (Exception e) {
                  whole.completeExceptionally(e);
                }
              }

              @Override
              public boolean isReady() {
                return true;
              }

              @Override
              public boolean isCancelled() {
                return false;
              }

              @Override
              public void onReady(Runnable callback) {}

              @Override
              public void complete() {
                whole.complete(parts);
              }

              @Override
              public void refuse(EtcdException why) {
                whole.completeExceptionally(why);
              }
            });
    return whole;
  }
}
