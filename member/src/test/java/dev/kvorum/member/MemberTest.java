package dev.kvorum.member;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.etcdserverpb.LeaseGrantRequest;
import dev.kvorum.api.etcdserverpb.LeaseGrantResponse;
import dev.kvorum.api.etcdserverpb.PutResponse;
import dev.kvorum.api.etcdserverpb.RangeResponse;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest;
import dev.kvorum.api.etcdserverpb.WatchResponse;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.RealWorld;
import dev.kvorum.member.watch.WatchSession;
import dev.kvorum.raft.RaftConfig;
import dev.kvorum.state.Request;
import dev.kvorum.wal.WalOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A real member on a real directory, without sockets.
class MemberTest {
  private static final long STOP_NANOS = TimeUnit.SECONDS.toNanos(10);

  @TempDir Path directory;
  private Member member;

  @BeforeEach
  void start() throws Exception {
    member = start(config(directory));
  }

  @AfterEach
  void stop() throws Exception {
    member.stop(STOP_NANOS);
  }

  @Test
  void whatWasPutIsReadAndKeptOverARestart() throws Exception {
    long revision = PutResponse.parseFrom(put("a", "1")).getHeader().getRevision();
    assertThat(revision).isEqualTo(2);
    put("b", "2");
    assertThat(range("a", "c").getKvsList()).extracting(kv -> kv.getValue().toStringUtf8()).containsExactly("1", "2");

    restart();
    RangeResponse after = range("a", "c");
    assertThat(after.getCount()).isEqualTo(2);
    assertThat(after.getHeader().getRevision()).isEqualTo(3);
    assertThat(after.getHeader().getRaftTerm()).isGreaterThan(1);
    put("c", "3");
    assertThat(range("c", "d").getKvs(0).getModRevision()).isEqualTo(4);
  }

  @Test
  void anUnknownLeaseIsRefusedAndChangesNothing() throws Exception {
    Request.Put put = new Request.Put(Bytes.utf8("k"), Bytes.utf8("v"), 42, false, false, false);
    assertThatThrownBy(() -> await(reply -> member.kv().put(put, Caller.LOCAL, reply)))
        .hasMessageContaining("etcdserver: requested lease not found");
    assertThat(range("k", "l").getCount()).isZero();
  }

  @Test
  void aLeaseEndsWithItsKeys() throws Exception {
    byte[] granted =
        await(
            reply ->
                member.leases().grant(LeaseGrantRequest.newBuilder().setTTL(1).build(), Caller.LOCAL, reply));
    LeaseGrantResponse lease = LeaseGrantResponse.parseFrom(granted);
    assertThat(lease.getTTL()).isEqualTo(2);
    Watched watched = watch(WatchCreateRequest.newBuilder().setKey(utf8("leased")).build());
    assertThat(watched.next().getCreated()).isTrue(); // it watches from here on, not from before
    await(
        reply ->
            member
                .kv()
                .put(
                    new Request.Put(Bytes.utf8("leased"), Bytes.EMPTY, lease.getID(), false, false, false),
                    Caller.LOCAL,
                    reply));
    assertThat(watched.next().getEvents(0).getType().name()).isEqualTo("PUT");
    assertThat(watched.next().getEvents(0).getType().name()).isEqualTo("DELETE");
  }

  @Test
  void aWatchFromThePastMeetsThePresentWithoutLossOrRepeat() throws Exception {
    for (int i = 0; i < 2_500; i++) {
      put("w" + i % 7, "" + i);
    }
    Watched watched =
        watch(
            WatchCreateRequest.newBuilder()
                .setKey(utf8("w"))
                .setRangeEnd(utf8("x"))
                .setStartRevision(2)
                .setPrevKv(true)
                .build());
    CompletableFuture<Void> more =
        CompletableFuture.runAsync(
            () -> {
              for (int i = 2_500; i < 3_000; i++) {
                put("w" + i % 7, "" + i);
              }
            });
    assertThat(watched.next().getCreated()).isTrue();
    long expected = 2;
    while (expected < 3_002) {
      WatchResponse response = watched.next();
      assertThat(response.getEventsCount()).isPositive();
      for (var event : response.getEventsList()) {
        assertThat(event.getKv().getModRevision()).isEqualTo(expected);
        assertThat(event.getKv().getValue().toStringUtf8()).isEqualTo("" + (expected - 2));
        assertThat(event.hasPrevKv()).isEqualTo(expected >= 9);
        expected++;
      }
    }
    more.get(30, TimeUnit.SECONDS);
  }

  private void restart() throws Exception {
    member.stop(STOP_NANOS);
    member = start(config(directory));
  }

  private record Watched(WatchSession session, LinkedBlockingQueue<byte[]> responses) {
    WatchResponse next() throws Exception {
      byte[] bytes = responses.poll(30, TimeUnit.SECONDS);
      assertThat(bytes).as("a watch response within 30 s").isNotNull();
      return WatchResponse.parseFrom(bytes);
    }
  }

  private Watched watch(WatchCreateRequest request) {
    LinkedBlockingQueue<byte[]> responses = new LinkedBlockingQueue<>();
    WatchSession[] session = new WatchSession[1];
    CountDownLatch opened = new CountDownLatch(1);
    session[0] =
        member
            .watches()
            .open(
                () -> {
                  try {
                    opened.await();
                  } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                  }
                  for (Encoded next = session[0].poll(); next != null; next = session[0].poll()) {
                    responses.add(next.toByteArray());
                  }
                });
    opened.countDown();
    session[0].create(request);
    return new Watched(session[0], responses);
  }

  private byte[] put(String key, String value) {
    return await(
        reply -> member.kv().put(Request.Put.of(Bytes.utf8(key), Bytes.utf8(value)), Caller.LOCAL, reply));
  }

  private RangeResponse range(String from, String to) throws Exception {
    return RangeResponse.parseFrom(
        await(
            reply ->
                member.kv().range(Request.Range.of(Bytes.utf8(from), Bytes.utf8(to)), Caller.LOCAL, reply)));
  }

  private static com.google.protobuf.ByteString utf8(String text) {
    return com.google.protobuf.ByteString.copyFromUtf8(text);
  }

  private static byte[] await(Consumer<Reply<Encoded>> call) {
    CompletableFuture<byte[]> answer = new CompletableFuture<>();
    call.accept(
        new Reply<>() {
          @Override
          public void complete(Encoded encoded) {
            answer.complete(encoded.toByteArray());
          }

          @Override
          public void refuse(EtcdException why) {
            answer.completeExceptionally(why);
          }
        });
    try {
      return answer.get(30, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new IllegalStateException(e.getCause() == null ? e : e.getCause());
    }
  }

  private static Member start(MemberConfig config) throws Exception {
    CountDownLatch ready = new CountDownLatch(1);
    List<Throwable> failures = new ArrayList<>();
    Member started =
        Member.start(
            RealWorld.create(2),
            config,
            new Member.Observer() {
              @Override
              public void ready() {
                ready.countDown();
              }

              @Override
              public void halted(String what, Throwable cause) {
                failures.add(cause);
                cause.printStackTrace();
              }
            });
    assertThat(ready.await(30, TimeUnit.SECONDS)).as("ready within 30 s; failures %s", failures).isTrue();
    return started;
  }

  static MemberConfig config(Path directory) {
    List<String> peers = List.of("http://localhost:2380");
    return new MemberConfig(
        "default",
        directory,
        directory.resolve("member").resolve("wal"),
        peers,
        List.of("http://localhost:2379"),
        Map.of("default", peers),
        "etcd-cluster",
        false,
        false,
        TimeUnit.MILLISECONDS.toNanos(100),
        10,
        true,
        true,
        true,
        10_000,
        5_000,
        5,
        5,
        2L << 30,
        1_572_864,
        128,
        TimeUnit.MILLISECONDS.toNanos(100),
        10_000,
        1_000,
        TimeUnit.MILLISECONDS.toNanos(10),
        MemberConfig.AutoCompactionMode.PERIODIC,
        0,
        TimeUnit.MINUTES.toNanos(10),
        TimeUnit.MILLISECONDS.toNanos(100),
        0,
        false,
        false,
        false,
        WalOptions.DEFAULT,
        RaftConfig.Limits.ETCD,
        1,
        "3.7.1",
        Strides.DEFAULT,
        256L << 20);
  }
}
