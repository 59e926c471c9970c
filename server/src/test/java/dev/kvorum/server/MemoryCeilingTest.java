package dev.kvorum.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.kvorum.api.etcdserverpb.CompactionRequest;
import dev.kvorum.api.etcdserverpb.DeleteRangeRequest;
import dev.kvorum.api.etcdserverpb.KVGrpc;
import dev.kvorum.api.etcdserverpb.PutRequest;
import dev.kvorum.api.etcdserverpb.RangeRequest;
import dev.kvorum.api.etcdserverpb.RangeRequest.SortOrder;
import dev.kvorum.api.etcdserverpb.RangeRequest.SortTarget;
import dev.kvorum.api.etcdserverpb.RangeResponse;
import dev.kvorum.api.etcdserverpb.RequestOp;
import dev.kvorum.api.etcdserverpb.TxnRequest;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest;
import dev.kvorum.api.etcdserverpb.WatchGrpc;
import dev.kvorum.api.etcdserverpb.WatchRequest;
import dev.kvorum.api.etcdserverpb.WatchResponse;
import dev.kvorum.api.mvccpb.Event;
import dev.kvorum.member.MemoryBudget;
import dev.kvorum.server.config.Arguments;
import dev.kvorum.server.config.StartRequest;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whatever clients ask for, a member holds no more memory than it was given, and goes on serving.
class MemoryCeilingTest {
  private static final long BUDGET_BYTES = 24L << 20;
  private static final long PATIENT_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final int KEYS = 120;
  private static final int VALUE_BYTES = 100_000;
  /// What calls take beside what they answer, and an answer that is larger than what was left.
  private static final long SLACK_BYTES = 1 << 20;

  private static final ByteString ZERO = ByteString.copyFrom(new byte[1]);

  @TempDir Path directory;

  private EtcdServer server;
  private final List<ManagedChannel> channels = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    start("data", PATIENT_NANOS);
  }

  private void start(String name, long stallNanos) throws Exception {
    String anyPort = "http://127.0.0.1:0";
    List<String> words =
        List.of(
            "--name=m", "--data-dir=" + directory.resolve(name), "--listen-client-urls=" + anyPort,
            "--advertise-client-urls=" + anyPort, "--listen-peer-urls=" + anyPort,
            "--initial-advertise-peer-urls=" + anyPort);
    StartRequest.Serve request = (StartRequest.Serve) Arguments.read("etcd", words, Map.of(), () -> "");
    ProcessMemory memory = ProcessMemory.ofThisProcess().withBudget(BUDGET_BYTES);
    server = EtcdServer.start(request.config(), (what, cause) -> {}, memory, stallNanos);
    server.whenReady().get(30, TimeUnit.SECONDS);
    server.serveClients();
    KVGrpc.KVBlockingStub kv = kv();
    for (int i = 0; i < KEYS; i++) {
      kv.put(put(i));
    }
  }

  /// Nothing that was taken of the budget is still held once all clients have gone.
  @AfterEach
  void stop() throws Exception {
    for (ManagedChannel channel : channels) {
      channel.shutdownNow();
      channel.awaitTermination(30, TimeUnit.SECONDS);
    }
    channels.clear();
    MemoryBudget memory = server.member().memory();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (memory.usedBytes() > 0 && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    assertThat(memory.usedBytes()).as("bytes still held").isZero();
    server.stop();
  }

  private static ByteString key(int i) {
    return ByteString.copyFromUtf8(String.format("k%06d", i));
  }

  private static ByteString value(int i) {
    byte[] bytes = new byte[VALUE_BYTES];
    new java.util.Random(i).nextBytes(bytes);
    return ByteString.copyFrom(bytes);
  }

  private static PutRequest put(int i) {
    return PutRequest.newBuilder().setKey(key(i)).setValue(value(i)).build();
  }

  private static RangeRequest.Builder everything() {
    return RangeRequest.newBuilder().setKey(ZERO).setRangeEnd(ZERO);
  }

  private ManagedChannel channel() {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(server.clientAddresses().getFirst())
            .usePlaintext()
            .flowControlWindow(64 * 1024)
            .maxInboundMessageSize(Integer.MAX_VALUE)
            .build();
    channels.add(channel);
    return channel;
  }

  private KVGrpc.KVBlockingStub kv() {
    return KVGrpc.newBlockingStub(channel());
  }

  private Future<RangeResponse> range(RangeRequest request) {
    return KVGrpc.newFutureStub(channel()).range(request);
  }

  private static void assertIsEverything(RangeResponse all) {
    assertThat(all.getCount()).isEqualTo(KEYS);
    assertThat(all.getKvsCount()).isEqualTo(KEYS);
    assertThat(all.getMore()).isFalse();
    assertThat(all.getHeader().getRevision()).isGreaterThanOrEqualTo(KEYS + 1);
    for (int i = 0; i < KEYS; i++) {
      assertThat(all.getKvs(i).getKey()).isEqualTo(key(i));
      assertThat(all.getKvs(i).getValue()).isEqualTo(value(i));
    }
  }

  @Test
  void largeRangesOfManyClientsAreAllAnsweredAndPutsGoOnMeanwhile() throws Exception {
    List<Future<RangeResponse>> ranges = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      ranges.add(range(everything().build()));
    }
    KVGrpc.KVBlockingStub writer = kv();
    for (int i = 0; i < 20; i++) {
      writer.withDeadlineAfter(30, TimeUnit.SECONDS).put(put(i));
    }
    for (Future<RangeResponse> answer : ranges) {
      assertIsEverything(answer.get(60, TimeUnit.SECONDS));
    }
  }

  @Test
  void aLargeRangeIsTheSameMessageAsOneReadAtOnce() throws Exception {
    RangeResponse inPieces = kv().range(everything().setLimit(100).setKeysOnly(false).build());
    List<RangeResponse> parts = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      parts.add(kvOf(parts).range(RangeRequest.newBuilder().setKey(key(i)).build()));
    }
    RangeResponse.Builder whole = RangeResponse.newBuilder().setHeader(inPieces.getHeader()).setMore(true);
    parts.forEach(part -> whole.addKvs(part.getKvs(0)));
    assertThat(inPieces.toByteString()).isEqualTo(whole.setCount(KEYS).build().toByteString());
  }

  private KVGrpc.KVBlockingStub kvOf(List<RangeResponse> parts) {
    return parts.isEmpty() ? kv() : KVGrpc.newBlockingStub(channels.getLast());
  }

  @Test
  void whatIsCompactedWhileItIsBeingReadIsReadToItsEnd() throws Exception {
    StalledRange reader = new StalledRange(channel(), everything().build());
    KVGrpc.KVBlockingStub kv = kv();
    long revision = kv.put(put(1)).getHeader().getRevision();
    kv.compact(CompactionRequest.newBuilder().setRevision(revision).setPhysical(true).build());
    reader.readOn();
    assertIsEverything(reader.answer.get(60, TimeUnit.SECONDS));
  }

  @Test
  void aClientThatDoesNotReadIsGivenUp() throws Exception {
    stop();
    start("hasty", TimeUnit.MILLISECONDS.toNanos(50));
    StalledRange reader = new StalledRange(channel(), everything().build());
    awaitNoneRunning();
    reader.readOn(); // gRPC tells of the end behind what has come before
    assertThatThrownBy(() -> reader.answer.get(60, TimeUnit.SECONDS))
        .hasCauseInstanceOf(StatusRuntimeException.class)
        .hasMessageContaining("CANCELLED");
  }

  private void awaitNoneRunning() {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (server.member().kv().largeReadsRunning() > 0) {
      assertThat(System.nanoTime()).as("time").isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  @Test
  void aClientThatGoesAwayInTheMiddleLeavesNothingBehind() throws Exception {
    StalledRange reader = new StalledRange(channel(), everything().build());
    reader.call.cancel("enough", null);
    assertIsEverything(kv().range(everything().build()));
  }

  @Test
  void whatMustBeHeldWholeIsRefusedWhenThereIsNoRoomForIt() {
    KVGrpc.KVBlockingStub kv = kv();
    for (int i = KEYS; i < 2 * KEYS; i++) {
      kv.put(put(i));
    }
    RangeRequest sorted = everything().setSortTarget(SortTarget.MOD).setSortOrder(SortOrder.DESCEND).build();
    refused(() -> kv.range(sorted));
    RequestOp all = RequestOp.newBuilder().setRequestRange(everything()).build();
    refused(() -> kv.txn(TxnRequest.newBuilder().addSuccess(all).build()));
    RequestOp put = RequestOp.newBuilder().setRequestPut(put(0)).build();
    refused(() -> kv.txn(TxnRequest.newBuilder().addSuccess(put).addSuccess(all).build()));
    refused(
        () -> kv.deleteRange(DeleteRangeRequest.newBuilder().setKey(ZERO).setRangeEnd(ZERO).setPrevKv(true).build()));
    assertThat(kv.range(everything().setCountOnly(true).build()).getCount()).isEqualTo(2 * KEYS);
    assertThat(kv.range(everything().setSortTarget(SortTarget.MOD).setLimit(3).setKeysOnly(true).build()).getKvsCount())
        .isEqualTo(3);
  }

  @Test
  void requestsThatDoNotFitTogetherAreRefusedWhileTheyAreRead() throws Exception {
    ManagedChannel channel = channel();
    List<UnfinishedPut> puts = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      puts.add(new UnfinishedPut(channel, i));
    }
    int refused = 0;
    for (UnfinishedPut put : puts) {
      put.call.halfClose();
      Status status = put.status.get(60, TimeUnit.SECONDS);
      if (!status.isOk()) {
        assertThat(status.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(status.getDescription()).isEqualTo("etcdserver: too many requests");
        refused++;
      }
    }
    assertThat(refused).as("puts refused").isBetween(1, 39);
    assertThat(server.member().memory().refusals()).isPositive();
  }

  @Test
  void manyWatchersOfALargeHistoryHaveItAllInTheirTurns() throws Exception {
    List<Watch> watches = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      watches.add(new Watch(channel(), 2));
    }
    watches.forEach(watch -> watch.call.request(1));
    MemoryBudget memory = server.member().memory();
    long most = 0;
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!watches.stream().allMatch(watch -> watch.next.isDone())) {
      most = Math.max(most, memory.usedBytes());
      assertThat(System.nanoTime()).as("time").isLessThan(deadline);
      Thread.onSpinWait();
    }
    for (Watch watch : watches) {
      assertThat(watch.next.get()).isEqualTo(KEYS + 2);
    }
    assertThat(most).as("bytes held").isLessThan(BUDGET_BYTES / 4 + SLACK_BYTES);
  }

  @Test
  void watchersThatDoNotReadMakeRoomForThoseThatDo() throws Exception {
    stop();
    start("hasty", TimeUnit.MILLISECONDS.toNanos(50));
    List<Watch> idle = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      idle.add(new Watch(channel(), 2));
    }
    Watch reader = new Watch(channel(), 2);
    reader.call.request(1);
    assertThat(reader.next.get(60, TimeUnit.SECONDS)).isEqualTo(KEYS + 2);
    int cut = 0;
    for (Watch watch : idle) {
      watch.call.request(1); // gRPC tells of the end behind what has come before
      try {
        assertThat(watch.next.get(60, TimeUnit.SECONDS)).isEqualTo(KEYS + 2);
      } catch (java.util.concurrent.ExecutionException ended) {
        assertThat(((StatusRuntimeException) ended.getCause()).getStatus().getCode())
            .isEqualTo(Status.Code.UNAVAILABLE);
        cut++;
      }
    }
    assertThat(cut).isPositive();
  }

  private static void refused(Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> {
              assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
              assertThat(e.getStatus().getDescription()).isEqualTo("etcdserver: too many requests");
            });
  }

  /// A watch of all keys, of which the events are checked as they come.
  private static final class Watch {
    final ClientCall<WatchRequest, WatchResponse> call;
    /// The revision after the last, once all have come.
    final CompletableFuture<Long> next = new CompletableFuture<>();

    Watch(ManagedChannel channel, long from) {
      call = channel.newCall(WatchGrpc.getWatchMethod(), CallOptions.DEFAULT);
      call.start(
          new ClientCall.Listener<>() {
            private long expected = from;

            @Override
            public void onMessage(WatchResponse response) {
              for (Event event : response.getEventsList()) {
                int i = (int) expected - 2;
                if (event.getKv().getModRevision() != expected || !event.getKv().getValue().equals(value(i))) {
                  next.completeExceptionally(new AssertionError("not revision " + expected + ": " + event.getKv().getKey()));
                }
                expected++;
              }
              if (expected == KEYS + 2) {
                next.complete(expected);
              }
              call.request(1);
            }

            @Override
            public void onClose(Status status, Metadata trailers) {
              next.completeExceptionally(status.asRuntimeException());
            }
          },
          new Metadata());
      WatchCreateRequest.Builder create =
          WatchCreateRequest.newBuilder().setKey(ZERO).setRangeEnd(ZERO).setStartRevision(from);
      call.sendMessage(WatchRequest.newBuilder().setCreateRequest(create).build());
    }
  }

  /// A range whose answer has begun and is not read.
  private static final class StalledRange {
    final ClientCall<RangeRequest, RangeResponse> call;
    final CompletableFuture<RangeResponse> answer = new CompletableFuture<>();

    StalledRange(ManagedChannel channel, RangeRequest request) throws Exception {
      call = channel.newCall(KVGrpc.getRangeMethod(), CallOptions.DEFAULT);
      CompletableFuture<Void> begun = new CompletableFuture<>();
      call.start(
          new ClientCall.Listener<>() {
            @Override
            public void onHeaders(Metadata headers) {
              begun.complete(null);
            }

            @Override
            public void onMessage(RangeResponse message) {
              answer.complete(message);
            }

            @Override
            public void onClose(Status status, Metadata trailers) {
              answer.completeExceptionally(status.asRuntimeException());
            }
          },
          new Metadata());
      call.sendMessage(request);
      call.halfClose();
      begun.get(30, TimeUnit.SECONDS);
    }

    void readOn() {
      call.request(2);
    }
  }

  /// A put that is sent and not ended, so that the server keeps it.
  private static final class UnfinishedPut {
    final ClientCall<PutRequest, dev.kvorum.api.etcdserverpb.PutResponse> call;
    final CompletableFuture<Status> status = new CompletableFuture<>();

    UnfinishedPut(ManagedChannel channel, int i) {
      call = channel.newCall(KVGrpc.getPutMethod(), CallOptions.DEFAULT);
      call.start(
          new ClientCall.Listener<>() {
            @Override
            public void onClose(Status ended, Metadata trailers) {
              status.complete(ended);
            }
          },
          new Metadata());
      call.request(2);
      call.sendMessage(
          PutRequest.newBuilder().setKey(key(i)).setValue(ByteString.copyFrom(new byte[1_000_000])).build());
    }
  }
}
