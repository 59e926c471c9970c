package dev.kvorum.member;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.api.EtcdException;
import dev.kvorum.api.etcdserverpb.DefragmentRequest;
import dev.kvorum.api.etcdserverpb.PutResponse;
import dev.kvorum.env.RealDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// How a member ends: by request, under load, and by a disk that fails.
class StopAndHaltTest {
  @TempDir Path directory;

  @Test
  void stoppingTwiceIsFine() throws Exception {
    LiveMember live = LiveMember.start(directory);
    live.put("a", "1");
    live.close();
    live.close();
  }

  @Test
  void whoWritesToAStoppedMemberHearsSo() throws Exception {
    LiveMember live = LiveMember.start(directory);
    live.close();
    assertThatThrownBy(() -> live.put("a", "1"))
        .isInstanceOf(EtcdException.class)
        .hasMessageContaining("etcdserver: server stopped");
  }

  @Test
  void stoppedUnderLoadItAnswersEveryWriterAndStartsAgainAtOnce() throws Exception {
    long revision = 1;
    for (int round = 0; round < 5; round++) {
      List<CompletableFuture<byte[]>> answers = new ArrayList<>();
      LiveMember live =
          LiveMember.start(
              LiveMember.config(directory, Map.of("backendBatchNanos", 1_000_000L, "snapshotCount", 300L)),
              new RealDisk());
      assertThat(live.all().getHeader().getRevision()).isGreaterThanOrEqualTo(revision);
      for (int i = 0; i < 2_000; i++) {
        answers.add(live.putSoon("key" + i % 50, "value" + i));
      }
      live.close();
      for (CompletableFuture<byte[]> answer : answers) {
        try {
          revision = PutResponse.parseFrom(LiveMember.await(answer)).getHeader().getRevision();
        } catch (EtcdException refused) {
          assertThat(refused).hasMessageContaining("etcdserver: server stopped");
        }
      }
    }
  }

  @Test
  void stoppedWhileItDefragmentsItAnswersWhoAskedForItAndLeavesNoCopyBehind() throws Exception {
    LiveMember live =
        LiveMember.start(LiveMember.config(directory, Map.of("strides", new Strides(1, 1, 1, 1, 1))), new RealDisk());
    List<CompletableFuture<byte[]>> puts = new ArrayList<>();
    for (int i = 0; i < 3_000; i++) {
      puts.add(live.putSoon("key" + i, "value"));
    }
    for (CompletableFuture<byte[]> put : puts) {
      LiveMember.await(put);
    }
    CompletableFuture<byte[]> answer =
        LiveMember.call(
            reply -> live.member.maintenance().defragment(DefragmentRequest.getDefaultInstance(), Caller.LOCAL, reply));
    live.close();
    try {
      LiveMember.await(answer); // it may have been done by then
    } catch (EtcdException refused) {
      assertThat(refused).hasMessageContaining("etcdserver: server stopped");
    }
    try (Stream<Path> files = Files.list(LiveMember.config(directory, Map.of()).snapDir())) {
      assertThat(files.map(file -> file.getFileName().toString())).containsExactly("db");
    }
  }

  @Test
  void aFailedSyncOfTheLogEndsTheMemberAndNothingIsAcknowledgedAfterIt() throws Exception {
    TestDisk disk = new TestDisk();
    Path image = directory.resolve("image");
    Path data = directory.resolve("data");
    LiveMember live = LiveMember.start(LiveMember.config(data, Map.of()), disk);
    live.put("before", "1");
    disk.failSyncs(path -> path.toString().endsWith(".wal"));
    List<CompletableFuture<byte[]>> answers = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      answers.add(live.putSoon("after" + i, "1"));
    }
    assertThat(live.halts.poll(LiveMember.DEADLINE_SECONDS, TimeUnit.SECONDS)).hasMessageContaining("the disk is gone");
    for (CompletableFuture<byte[]> answer : answers) {
      assertThatThrownBy(() -> LiveMember.await(answer)).isInstanceOf(EtcdException.class);
    }
    assertThatThrownBy(() -> live.put("late", "1")).hasMessageContaining("etcdserver: server stopped");
    disk.failSyncs(path -> false);
    live.close();
    assertThat(live.halts).as("it is told once").isEmpty();
    disk.image(data, image);
    try (LiveMember again = LiveMember.start(image)) {
      assertThat(again.all().getKvsList()).extracting(kv -> kv.getKey().toStringUtf8()).contains("before");
    }
  }

  @Test
  void aFailedSyncOfTheDbEndsTheMemberAndLosesNothing() throws Exception {
    TestDisk disk = new TestDisk();
    LiveMember live = LiveMember.start(LiveMember.config(directory, Map.of("backendBatchNanos", 1_000_000L)), disk);
    disk.failSyncs(path -> path.endsWith("db"));
    List<String> acknowledged = new ArrayList<>();
    for (int i = 0; live.halts.isEmpty(); i++) {
      try {
        live.put("key" + i, "value");
        acknowledged.add("key" + i);
      } catch (EtcdException stopped) {
        assertThat(stopped).hasMessageContaining("etcdserver: server stopped");
      }
    }
    live.close();
    assertThat(live.halts).hasSize(1);
    try (LiveMember again = LiveMember.start(directory)) {
      assertThat(again.all().getKvsList())
          .extracting(kv -> kv.getKey().toStringUtf8())
          .containsAll(acknowledged);
    }
  }

  @Test
  void aHaltedMemberCanStillBeStoppedWithinItsTime() throws Exception {
    TestDisk disk = new TestDisk();
    LiveMember live = LiveMember.start(LiveMember.config(directory, Map.of()), disk);
    disk.failSyncs(path -> true);
    assertThatThrownBy(() -> live.put("a", "1")).isInstanceOf(EtcdException.class);
    live.close();
  }
}
