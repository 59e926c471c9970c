package dev.kvorum.member;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.RealDisk;
import dev.kvorum.env.RealWorld;
import dev.kvorum.env.World;
import dev.kvorum.state.Request;
import dev.kvorum.state.RequestHeader;
import dev.kvorum.state.StateMachine;
import dev.kvorum.state.StateOptions;
import dev.kvorum.state.backend.BackendCommit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BackendLoopTest {
  /// More than two steps of a defragmentation copy.
  private static final int KEYS = 5_000;

  @TempDir Path directory;
  private final RealDisk disk = new RealDisk();
  private final World world = RealWorld.create(2);
  private final LinkedBlockingQueue<Throwable> halts = new LinkedBlockingQueue<>();

  /// etcd 20650. What is asked for while the loop is held goes in order: the first step of the defragmentation, then
  /// the snapshot, then what is left of the steps.
  @Test
  void aDefragmentationUnderWayGivesWayToADatabaseFromTheLeader() throws Exception {
    replaceBeside((loop, old, sent, loaded, end) -> {
      loop.defragment(old.backend(), end);
      loop.replace(old, sent, loaded::complete);
    });
  }

  @Test
  void aDefragmentationAskedForTooLateLeavesTheLeadersDatabaseAlone() throws Exception {
    replaceBeside((loop, old, sent, loaded, end) -> {
      loop.replace(old, sent, loaded::complete);
      loop.defragment(old.backend(), end);
    });
  }

  private interface Requests {
    void ask(BackendLoop loop, StateMachine old, Path sent, CompletableFuture<StateMachine> loaded, End end);
  }

  private static final class End implements BackendLoop.DefragmentationEnd {
    final CompletableFuture<String> how = new CompletableFuture<>();

    @Override
    public void done(BackendCommit commit) {
      how.complete("done");
    }

    @Override
    public void overtaken() {
      how.complete("overtaken");
    }

    @Override
    public void failed(IOException failure) {
      how.complete("failed: " + failure);
    }
  }

  private void replaceBeside(Requests requests) throws Exception {
    MemberConfig config = LiveMember.config(directory, Map.of());
    disk.createDirectories(config.snapDir());
    Path sent = config.snapDir().resolve("0000000000000009.snap.db");
    try (StateMachine machine = written(sent, "sent", 9)) {
      assertThat(machine.backend().committedIndex()).isEqualTo(9);
    }
    StateMachine old = written(config.dbFile(), "old", KEYS);
    BackendLoop loop = new BackendLoop(world, config, old.backend(), nanos -> {}, (what, cause) -> halts.add(cause));
    CountDownLatch held = new CountDownLatch(1);
    loop.execute(
        () -> {
          try {
            held.await();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    CompletableFuture<StateMachine> loaded = new CompletableFuture<>();
    End end = new End();
    requests.ask(loop, old, sent, loaded, end);
    held.countDown();
    StateMachine received = loaded.get(LiveMember.DEADLINE_SECONDS, TimeUnit.SECONDS);
    assertThat(end.how.get(LiveMember.DEADLINE_SECONDS, TimeUnit.SECONDS)).isEqualTo("overtaken");
    loop.stop();
    assertThat(loop.awaitStopped(TimeUnit.SECONDS.toNanos(LiveMember.DEADLINE_SECONDS))).isTrue();
    old.close();
    received.close();
    assertThat(halts).isEmpty();
    assertThat(disk.list(config.snapDir())).containsExactly("db");
    try (StateMachine again = StateMachine.open(disk, config.dbFile(), StateOptions.defaults())) {
      assertThat(again.backend().committedIndex()).isEqualTo(9);
      assertThat(again.keys().currentRevision()).isEqualTo(10);
    }
  }

  /// A database of `count` entries, each of which puts a key of its own.
  private StateMachine written(Path file, String prefix, int count) throws IOException {
    StateMachine machine = StateMachine.open(disk, file, StateOptions.defaults());
    for (int index = 1; index <= count; index++) {
      Request.Put put = Request.Put.of(Bytes.utf8(prefix + index), Bytes.utf8("v"));
      machine.applier().apply(index, 1, RequestHeader.of(index), put, false);
    }
    BackendCommit commit = machine.backend().write(machine.backend().take());
    machine.keys().committed(commit);
    return machine;
  }
}
