package dev.kvorum.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.Watch;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.lease.LeaseKeepAliveResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.LeaseOption;
import io.etcd.jetcd.options.PutOption;
import io.etcd.jetcd.options.WatchOption;
import io.etcd.jetcd.watch.WatchEvent;
import io.etcd.jetcd.watch.WatchResponse;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The Java client jetcd against the server under test.
class JetcdTest {
  private static final long PATIENCE_SECONDS = 60;

  @TempDir static Path directory;
  private static EtcdProcess etcd;
  private static Client client;

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    etcd = EtcdProcess.start(directory);
    client = Client.builder().endpoints(etcd.endpoint()).build();
  }

  @AfterAll
  static void stop() {
    if (client != null) {
      client.close();
    }
    if (etcd != null) {
      etcd.close();
    }
  }

  private static ByteSequence bytes(String text) {
    return ByteSequence.from(text, StandardCharsets.UTF_8);
  }

  private static <T> T await(CompletableFuture<T> future) throws Exception {
    return future.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
  }

  private static void put(String key, String value) throws Exception {
    await(client.getKVClient().put(bytes(key), bytes(value)));
  }

  @Test
  void putsAreReadBackInOrderAndDeleted() throws Exception {
    for (int i = 0; i < 10; i++) {
      put("order/" + i, "v" + i);
    }
    GetOption newestThree =
        GetOption.builder()
            .isPrefix(true)
            .withSortField(GetOption.SortTarget.MOD)
            .withSortOrder(GetOption.SortOrder.DESCEND)
            .withLimit(3)
            .build();
    GetResponse answer = await(client.getKVClient().get(bytes("order/"), newestThree));
    assertThat(answer.getKvs()).extracting(kv -> kv.getKey().toString()).containsExactly("order/9", "order/8", "order/7");
    assertThat(answer.isMore()).isTrue();
    assertThat(answer.getCount()).isEqualTo(10);
    DeleteOption withPrevious = DeleteOption.builder().isPrefix(true).withPrevKV(true).build();
    assertThat(await(client.getKVClient().delete(bytes("order/"), withPrevious)).getPrevKvs()).hasSize(10);
  }

  @Test
  void aTransactionTakesTheBranchItsComparesChoose() throws Exception {
    put("txn/a", "1");
    Op then = Op.put(bytes("txn/b"), bytes("then"), PutOption.DEFAULT);
    Op otherwise = Op.put(bytes("txn/b"), bytes("else"), PutOption.DEFAULT);
    TxnResponse first =
        await(
            client
                .getKVClient()
                .txn()
                .If(new Cmp(bytes("txn/a"), Cmp.Op.EQUAL, CmpTarget.value(bytes("1"))))
                .Then(then, Op.get(bytes("txn/b"), GetOption.DEFAULT))
                .Else(otherwise)
                .commit());
    assertThat(first.isSucceeded()).isTrue();
    assertThat(first.getGetResponses().getFirst().getKvs().getFirst().getValue()).isEqualTo(bytes("then"));
    TxnResponse second =
        await(
            client
                .getKVClient()
                .txn()
                .If(new Cmp(bytes("txn/a"), Cmp.Op.GREATER, CmpTarget.version(1)))
                .Then(then)
                .Else(otherwise)
                .commit());
    assertThat(second.isSucceeded()).isFalse();
  }

  @Test
  void refusalsCarryTheServersText() {
    GetOption future = GetOption.builder().withRevision(1_000_000).build();
    assertThatThrownBy(() -> await(client.getKVClient().get(bytes("k"), future)))
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("required revision is a future revision");
    assertThatThrownBy(() -> await(client.getLeaseClient().revoke(4711)))
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("requested lease not found");
  }

  @Test
  void aWatchShowsEveryEventOnceAcrossARestart() throws Exception {
    long from = await(client.getKVClient().get(bytes("none"))).getHeader().getRevision() + 1;
    BlockingQueue<WatchEvent> seen = new LinkedBlockingQueue<>();
    WatchOption option = WatchOption.builder().isPrefix(true).withRevision(from).withPrevKV(true).build();
    try (Watch.Watcher watcher =
        client.getWatchClient().watch(bytes("watch/"), option, Watch.listener((WatchResponse r) -> seen.addAll(r.getEvents())))) {
      put("watch/a", "1");
      put("watch/a", "2");
      assertThat(take(seen, 2)).extracting(e -> e.getKeyValue().getValue()).containsExactly(bytes("1"), bytes("2"));
      etcd.restart();
      await(client.getKVClient().delete(bytes("watch/a")));
      List<WatchEvent> after = take(seen, 1);
      assertThat(after.getFirst().getEventType()).isEqualTo(WatchEvent.EventType.DELETE);
      assertThat(after.getFirst().getPrevKV().getValue()).isEqualTo(bytes("2"));
      assertThat(seen).isEmpty();
    }
  }

  private static List<WatchEvent> take(BlockingQueue<WatchEvent> queue, int count) throws InterruptedException {
    List<WatchEvent> taken = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      WatchEvent event = queue.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
      assertThat(event).as("event %d of %d", i + 1, count).isNotNull();
      taken.add(event);
    }
    return taken;
  }

  @Test
  void aLeaseHoldsItsKeysUntilRevoked() throws Exception {
    long lease = await(client.getLeaseClient().grant(1000)).getID();
    PutOption leased = PutOption.builder().withLeaseId(lease).build();
    await(client.getKVClient().put(bytes("lease/a"), bytes("v"), leased));
    CompletableFuture<LeaseKeepAliveResponse> renewed = new CompletableFuture<>();
    try (var alive = client.getLeaseClient().keepAlive(lease, first(renewed))) {
      assertThat(await(renewed).getTTL()).isEqualTo(1000);
    }
    LeaseOption withKeys = LeaseOption.builder().withAttachedKeys().build();
    var left = await(client.getLeaseClient().timeToLive(lease, withKeys));
    assertThat(left.getGrantedTTL()).isEqualTo(1000);
    assertThat(left.getKeys()).containsExactly(bytes("lease/a"));
    await(client.getLeaseClient().revoke(lease));
    assertThat(await(client.getKVClient().get(bytes("lease/a"))).getCount()).isZero();
  }

  private static <T> StreamObserver<T> first(CompletableFuture<T> future) {
    return new StreamObserver<>() {
      @Override
      public void onNext(T value) {
        future.complete(value);
      }

      @Override
      public void onError(Throwable error) {
        future.completeExceptionally(error);
      }

      @Override
      public void onCompleted() {}
    };
  }

  @Test
  void maintenanceAndMembershipAnswer() throws Exception {
    var status = await(client.getMaintenanceClient().statusMember(etcd.endpoint()));
    assertThat(status.getVersion()).isEqualTo("3.7.1");
    assertThat(await(client.getClusterClient().listMember()).getMembers()).hasSize(1);
    assertThat(await(client.getMaintenanceClient().listAlarms()).getAlarms()).isEmpty();
    KeyValue absent = await(client.getKVClient().get(bytes("none"))).getKvs().stream().findFirst().orElse(null);
    assertThat(absent).isNull();
    await(client.getMaintenanceClient().defragmentMember(etcd.endpoint()));
  }
}
