package dev.kvorum.member;

import static dev.kvorum.member.LiveMember.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.etcdserverpb.DeleteRangeResponse;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest;
import dev.kvorum.api.etcdserverpb.WatchResponse;
import dev.kvorum.api.mvccpb.Event;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.RealDisk;
import dev.kvorum.member.watch.WatchSession;
import dev.kvorum.state.Request;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// However many watchers are behind, and over however much, what they hold stays within their share of memory.
class WatchMemoryTest {
  private static final long BUDGET_BYTES = 32L << 20;
  private static final long SHARE_BYTES = BUDGET_BYTES / 4;

  /// What is not large: watchers, and answers to requests.
  private static final long SLACK_BYTES = 64 * 1024;

  private static final String LARGE = "x".repeat(500_000);
  private static final int PUTS = 40;

  @TempDir Path directory;
  private LiveMember live;
  private MemoryBudget memory;
  private long mostBytes;

  @BeforeEach
  void start() throws Exception {
    Map<String, Object> changes = Map.of("memoryBytes", BUDGET_BYTES, "maxRequestBytes", 16 << 20);
    live = LiveMember.start(LiveMember.config(directory, changes), new RealDisk());
    memory = live.member.memory();
  }

  @AfterEach
  void stop() throws Exception {
    live.close();
  }

  /// A stream whose responses are taken when the test says so, and whose events must come in order.
  private final class Stream {
    final WatchSession session = live.member.watches().open(() -> {});
    long next;
    boolean partial;
    String refusal = "";

    Stream(WatchCreateRequest.Builder request) {
      next = request.getStartRevision();
      session.create(request.setKey(bytes("a")).setRangeEnd(bytes("b")).build());
    }

    /// @return whether there was one
    boolean take() throws Exception {
      mostBytes = Math.max(mostBytes, memory.usedBytes());
      Encoded encoded = session.poll();
      if (encoded == null) {
        return false;
      }
      WatchResponse response = WatchResponse.parseFrom(encoded.toByteArray());
      for (Event event : response.getEventsList()) {
        assertThat(event.getKv().getModRevision()).isBetween(next - 1, next);
        next = event.getKv().getModRevision() + 1;
      }
      refusal += response.getCancelReason();
      return true;
    }
  }

  private static WatchCreateRequest.Builder from(long revision) {
    return WatchCreateRequest.newBuilder().setStartRevision(revision);
  }

  private void readAll(List<Stream> streams, long end) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LiveMember.DEADLINE_SECONDS);
    while (!streams.stream().allMatch(stream -> stream.next == end)) {
      assertThat(System.nanoTime()).as("time").isLessThan(deadline);
      for (Stream stream : streams) {
        stream.take();
      }
    }
  }

  private long putLarge() throws Exception {
    long last = 0;
    for (int i = 0; i < PUTS; i++) {
      last = put("a" + i % 3);
    }
    return last;
  }

  private interface Change {
    long make() throws Exception;
  }

  /// Makes a change once there is room for it: the disk is slower than the test.
  private static long once(Change change) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LiveMember.DEADLINE_SECONDS);
    while (true) {
      try {
        return change.make();
      } catch (EtcdException full) {
        assertThat(full.text()).isEqualTo(MemoryBudget.refusal().text());
        assertThat(System.nanoTime()).as("time").isLessThan(deadline);
        Thread.onSpinWait();
      }
    }
  }

  private long put(String key) throws Exception {
    return once(() -> live.put(key, LARGE));
  }

  private long deleteAll() throws Exception {
    Request.DeleteRange all = Request.DeleteRange.of(Bytes.utf8("a"), Bytes.utf8("b"));
    return once(
        () -> {
          byte[] answer = LiveMember.await(LiveMember.call(reply -> live.member.kv().deleteRange(all, Caller.LOCAL, reply)));
          return DeleteRangeResponse.parseFrom(answer).getHeader().getRevision();
        });
  }

  @Test
  void manyThatAreFarBehindHaveTheirTurns() throws Exception {
    long last = putLarge();
    List<Stream> streams = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      streams.add(new Stream(from(2 + i % 4).setPrevKv(i % 3 == 0).setFragment(i % 2 == 0)));
    }
    readAll(streams, last + 1);
    assertThat(mostBytes).isLessThan(SHARE_BYTES + SLACK_BYTES);
  }

  @Test
  void manyThatAreCurrentFallBehindWhenThereIsNoRoom() throws Exception {
    List<Stream> streams = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      streams.add(new Stream(from(2)));
    }
    for (Stream stream : streams) {
      while (!stream.take()) {
        Thread.onSpinWait(); // created
      }
    }
    long last = putLarge();
    readAll(streams, last + 1);
    streams.forEach(stream -> stream.session.poll());
    assertThat(mostBytes).isLessThan(SHARE_BYTES + 4L * LARGE.length() + SLACK_BYTES); // and a put's own
  }

  @Test
  void theyWaitForThoseThatDoNotReadAndGoOnWhenTheseHaveGone() throws Exception {
    long last = putLarge();
    List<Stream> idle = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      idle.add(new Stream(from(2)));
    }
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LiveMember.DEADLINE_SECONDS);
    while (!live.member.watches().isShortOfMemory()) {
      assertThat(System.nanoTime()).as("time").isLessThan(deadline);
      Thread.onSpinWait();
    }
    Stream reader = new Stream(from(2));
    assertThat(memory.usedBytes()).isLessThan(SHARE_BYTES + SLACK_BYTES);
    idle.forEach(stream -> stream.session.close());
    readAll(List.of(reader), last + 1);
    assertThat(live.member.watches().isShortOfMemory()).isFalse();
  }

  @Test
  void whatIsLargerThanTheShareGoesOutAllTheSame() throws Exception {
    live.put("a", "x".repeat((int) SHARE_BYTES + 1));
    long last = live.put("a", "small");
    List<Stream> streams = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      streams.add(new Stream(from(2)));
    }
    readAll(streams, last + 1);
    assertThat(mostBytes).isLessThan(2 * SHARE_BYTES + SLACK_BYTES);
  }

  @Test
  void aRevisionWhosePreviousValuesAreTooMuchIsRefusedToWhoAsksForThem() throws Exception {
    for (int i = 0; i < PUTS; i++) {
      put("a" + i);
    }
    Stream current = new Stream(from(PUTS + 2).setPrevKv(true));
    while (!current.take()) {
      Thread.onSpinWait(); // created
    }
    long last = deleteAll();
    Stream plain = new Stream(from(2));
    Stream behind = new Stream(from(2).setPrevKv(true));
    readAll(List.of(plain), last + 1);
    readAll(List.of(behind), last);
    for (Stream stream : List.of(current, behind)) {
      while (stream.refusal.isEmpty()) {
        stream.take();
      }
      assertThat(stream.refusal).isEqualTo("etcdserver: too many requests");
      assertThat(stream.next).isEqualTo(last);
    }
  }
}
