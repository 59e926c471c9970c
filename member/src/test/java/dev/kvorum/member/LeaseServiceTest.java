package dev.kvorum.member;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.api.etcdserverpb.LeaseKeepAliveRequest;
import dev.kvorum.api.etcdserverpb.LeaseKeepAliveResponse;
import dev.kvorum.api.etcdserverpb.LeaseRevokeRequest;
import dev.kvorum.api.etcdserverpb.LeaseTimeToLiveRequest;
import dev.kvorum.api.etcdserverpb.LeaseTimeToLiveResponse;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Leases of a running member. Ticks of 10 ms make the least TTL one second.
class LeaseServiceTest {
  @TempDir Path directory;

  @Test
  void anUnknownLeaseIsKeptAliveForNoTimeAndHasNone() throws Exception {
    try (LiveMember live = LiveMember.start(directory)) {
      assertThat(LeaseKeepAliveResponse.parseFrom(LiveMember.await(keepAlive(live, 77))).getTTL()).isZero();
      LeaseTimeToLiveResponse none = timeToLive(live, 77);
      assertThat(none.getTTL()).isEqualTo(-1);
      assertThat(none.getGrantedTTL()).isZero();
      assertThatThrownBy(() -> revoke(live, 77)).hasMessageContaining("requested lease not found");
      assertThatThrownBy(() -> live.put("k", "v", 77)).hasMessageContaining("requested lease not found");
    }
  }

  @Test
  void keysFollowTheirLeaseAndARestartGivesItItsWholeTimeAgain() throws Exception {
    try (LiveMember live = LiveMember.start(directory)) {
      live.grant(1, 500);
      live.grant(2, 600);
      live.put("a", "v", 1);
      live.put("b", "v", 1);
      live.put("b", "v", 2);
      live.put("c", "v", 1);
      live.put("c", "v");
    }
    try (LiveMember live = LiveMember.start(directory)) {
      LeaseTimeToLiveResponse one = timeToLive(live, 1);
      assertThat(one.getKeysList()).extracting(key -> key.toStringUtf8()).containsExactly("a");
      assertThat(one.getGrantedTTL()).isEqualTo(500);
      assertThat(one.getTTL()).isBetween(490L, 500L);
      assertThat(timeToLive(live, 2).getKeysList()).hasSize(1);
      long before = live.all().getHeader().getRevision();
      revoke(live, 1);
      revoke(live, 2);
      assertThat(live.all().getKvsList()).extracting(kv -> kv.getKey().toStringUtf8()).containsExactly("c");
      assertThat(live.all().getHeader().getRevision()).isEqualTo(before + 2);
    }
  }

  @Test
  void aLeaseThatRanOutIsGoneWithItsKeysAndItsKeepAliveSaysSo() throws Exception {
    try (LiveMember live = LiveMember.start(directory)) {
      live.grant(1, 1);
      live.put("a", "v", 1);
      while (timeToLive(live, 1).getTTL() >= 0) {
        // a call takes a turn of the apply loop, which has its scans to make in between
      }
      LeaseKeepAliveResponse late = LeaseKeepAliveResponse.parseFrom(LiveMember.await(keepAlive(live, 1)));
      assertThat(late.getTTL()).isZero();
      assertThat(live.all().getCount()).isZero();
      assertThat(timeToLive(live, 1).getTTL()).isEqualTo(-1);
    }
  }

  private static CompletableFuture<byte[]> keepAlive(LiveMember live, long id) {
    LeaseKeepAliveRequest request = LeaseKeepAliveRequest.newBuilder().setID(id).build();
    return LiveMember.call(reply -> live.member.leases().keepAlive(request, Caller.LOCAL, reply));
  }

  private static LeaseTimeToLiveResponse timeToLive(LiveMember live, long id) throws Exception {
    LeaseTimeToLiveRequest request = LeaseTimeToLiveRequest.newBuilder().setID(id).setKeys(true).build();
    return LeaseTimeToLiveResponse.parseFrom(
        LiveMember.await(LiveMember.call(reply -> live.member.leases().timeToLive(request, Caller.LOCAL, reply))));
  }

  private static void revoke(LiveMember live, long id) throws Exception {
    LeaseRevokeRequest request = LeaseRevokeRequest.newBuilder().setID(id).build();
    LiveMember.await(LiveMember.call(reply -> live.member.leases().revoke(request, Caller.LOCAL, reply)));
  }
}
