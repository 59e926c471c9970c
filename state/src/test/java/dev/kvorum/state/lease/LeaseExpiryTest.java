package dev.kvorum.state.lease;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.state.Request.LeaseCheckpoint.Remaining;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class LeaseExpiryTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long RETRY = 7 * SECOND;
  private static final long CHECKPOINT = 300 * SECOND;

  private final LeaseExpiry expiry = new LeaseExpiry(RETRY, 0);

  private List<Long> expired(double seconds) {
    return expiry.expired((long) (seconds * SECOND), LeaseExpiry.EXPIRED_PER_SCAN_MAX);
  }

  @Test
  void aFollowerExpiresNothingAndRenewsNothing() {
    expiry.granted(1, 5, 0, 0);
    assertThat(expired(1e6)).isEmpty();
    assertThat(expiry.renew(1, 0)).isEqualTo(Renewal.Refused.NOT_PRIMARY);
    assertThat(expiry.remainingNanos(1, 0)).isNull();
  }

  @Test
  void aLeaseEndsItsTtlAfterTheGrant() {
    expiry.promote(0, 0);
    expiry.granted(1, 5, 0, 2 * SECOND);
    assertThat(expiry.remainingNanos(1, 3 * SECOND)).isEqualTo(4 * SECOND);
    assertThat(expired(6.9)).isEmpty();
    assertThat(expired(7)).containsExactly(1L);
  }

  @Test
  void anExpiredLeaseIsReportedAgainUntilItIsRevoked() {
    expiry.promote(0, 0);
    expiry.granted(1, 5, 0, 0);
    assertThat(expired(5)).containsExactly(1L);
    assertThat(expired(11.9)).isEmpty();
    assertThat(expired(12)).containsExactly(1L);
    expiry.revoked(1);
    assertThat(expired(100)).isEmpty();
    assertThat(expiry.renew(1, 0)).isEqualTo(Renewal.Refused.NOT_FOUND);
  }

  @Test
  void aRenewalMovesTheEndAndAnExpiredLeaseCannotBeRenewed() {
    expiry.promote(0, 0);
    expiry.granted(1, 5, 0, 0);
    assertThat(expiry.renew(1, 4 * SECOND)).isEqualTo(new Renewal.Renewed(5));
    assertThat(expired(8.9)).isEmpty();
    assertThat(expiry.renew(1, 9 * SECOND)).isEqualTo(Renewal.Refused.EXPIRED);
    assertThat(expired(9)).containsExactly(1L);
  }

  @Test
  void promotionGivesEveryLeaseItsTtlAnewAndTheElectionTimeoutOnTop() {
    expiry.granted(1, 5, 0, 0);
    expiry.granted(2, 5, 3, 0);
    expiry.promote(100 * SECOND, SECOND);
    assertThat(expired(103.9)).isEmpty();
    assertThat(expired(104)).containsExactly(2L);
    assertThat(expired(106)).containsExactly(1L);
  }

  @Test
  void demotionStopsAllClocks() {
    expiry.granted(1, 5, 0, 0);
    expiry.promote(0, 0);
    expiry.demote();
    assertThat(expired(1e6)).isEmpty();
    assertThat(expiry.isPrimary()).isFalse();
    expiry.promote(10 * SECOND, 0);
    assertThat(expired(15)).containsExactly(1L);
  }

  @Test
  void aScanReturnsNoMoreThanItsLimitEarliestFirst() {
    expiry.promote(0, 0);
    for (int i = 1; i <= 10; i++) {
      expiry.granted(i, 11 - i, 0, 0);
    }
    assertThat(expiry.expired(20 * SECOND, 3)).containsExactly(10L, 9L, 8L);
    assertThat(expiry.expired(20 * SECOND, 100)).containsExactly(7L, 6L, 5L, 4L, 3L, 2L, 1L);
  }

  @Test
  void aThousandLeasesAreSpreadSoThatNoSecondHasMoreThanCanBeRevoked() {
    int count = 5_000;
    for (int i = 1; i <= count; i++) {
      expiry.granted(i, 60, 0, 0);
    }
    expiry.promote(0, 0);
    Map<Long, Integer> perSecond = new TreeMap<>();
    for (int i = 1; i <= count; i++) {
      perSecond.merge((expiry.remainingNanos(i, 0) - 60 * SECOND) / SECOND, 1, Integer::sum);
    }
    assertThat(perSecond.values()).allMatch(n -> n <= LeaseExpiry.REVOKE_RATE);
    assertThat(perSecond.size()).isGreaterThanOrEqualTo(count / 1_000);
    assertThat(perSecond.keySet()).allMatch(second -> second >= 0 && second <= count / 750 + 1);
  }

  @Test
  void fewerThanAThousandLeasesAreNotSpread() {
    for (int i = 1; i < LeaseExpiry.REVOKE_RATE; i++) {
      expiry.granted(i, 60, 0, 0);
    }
    expiry.promote(0, 0);
    for (int i = 1; i < LeaseExpiry.REVOKE_RATE; i++) {
      assertThat(expiry.remainingNanos(i, 0)).isEqualTo(60 * SECOND);
    }
  }

  @Test
  void leasesThatEndFarApartAreNotDelayed() {
    for (int i = 1; i <= 2_000; i++) {
      expiry.granted(i, 2L * i, 0, 0);
    }
    expiry.promote(0, 0);
    for (int i = 1; i <= 2_000; i++) {
      assertThat(expiry.remainingNanos(i, 0)).isEqualTo(2L * i * SECOND);
    }
  }

  @Test
  void checkpointsAreDueEveryIntervalForLeasesLongerThanIt() {
    LeaseExpiry checkpointing = new LeaseExpiry(RETRY, CHECKPOINT);
    checkpointing.promote(0, 0);
    checkpointing.granted(1, 1_000, 0, 0);
    checkpointing.granted(2, 300, 0, 0);
    assertThat(checkpointing.dueCheckpoints(CHECKPOINT - 1, 10)).isEmpty();
    assertThat(checkpointing.dueCheckpoints(CHECKPOINT, 10)).containsExactly(new Remaining(1, 700));
    assertThat(checkpointing.dueCheckpoints(CHECKPOINT, 10)).isEmpty();
    checkpointing.checkpointed(1, 700, CHECKPOINT);
    assertThat(checkpointing.dueCheckpoints(2 * CHECKPOINT, 10)).containsExactly(new Remaining(1, 400));
  }

  @Test
  void aCheckpointedLeaseIsRenewedOnlyAfterItsCheckpointWasCleared() {
    LeaseExpiry checkpointing = new LeaseExpiry(RETRY, CHECKPOINT);
    checkpointing.promote(0, 0);
    checkpointing.granted(1, 1_000, 0, 0);
    checkpointing.checkpointed(1, 700, CHECKPOINT);
    assertThat(checkpointing.renew(1, CHECKPOINT)).isEqualTo(Renewal.Refused.CLEAR_CHECKPOINT_FIRST);
    checkpointing.checkpointed(1, 0, CHECKPOINT);
    assertThat(checkpointing.renew(1, CHECKPOINT)).isEqualTo(new Renewal.Renewed(1_000));
  }

  /// etcd 14087: a leader that had stepped down went on to checkpoint.
  @Test
  void aFormerLeaderOwesNoCheckpoints() {
    LeaseExpiry checkpointing = new LeaseExpiry(RETRY, CHECKPOINT);
    checkpointing.promote(0, 0);
    checkpointing.granted(1, 1_000, 0, 0);
    checkpointing.demote();
    assertThat(checkpointing.dueCheckpoints(CHECKPOINT, 10)).isEmpty();
    checkpointing.checkpointed(1, 700, CHECKPOINT);
    assertThat(checkpointing.dueCheckpoints(3 * CHECKPOINT, 10)).isEmpty();
    checkpointing.promote(4 * CHECKPOINT, 0);
    assertThat(checkpointing.dueCheckpoints(5 * CHECKPOINT, 10)).containsExactly(new Remaining(1, 400));
  }

  @Test
  void theLongestTtlDoesNotOverflow() {
    expiry.promote(Long.MAX_VALUE / 2, 0);
    expiry.granted(1, Leases.TTL_MAX_SECONDS, 0, Long.MAX_VALUE / 2);
    assertThat(expired(1e9)).isEmpty();
    assertThat(expiry.remainingNanos(1, Long.MAX_VALUE / 2)).isPositive();
  }

  @Test
  void idsAreListedByExpiryThenId() {
    expiry.promote(0, 0);
    expiry.granted(5, 9, 0, 0);
    expiry.granted(3, 9, 0, 0);
    expiry.granted(9, 2, 0, 0);
    assertThat(expiry.idsByExpiry()).containsExactly(9L, 3L, 5L);
  }

  /// The heap and the table against a plain map.
  @Test
  void randomHistoriesExpireWhatAPlainMapExpires() {
    long seed = Long.getLong("kvorum.seed", System.nanoTime());
    System.out.println("randomHistoriesExpireWhatAPlainMapExpires: -Dkvorum.seed=" + seed);
    Random random = new Random(seed);
    Map<Long, Long> ends = new HashMap<>();
    Map<Long, Long> ttls = new HashMap<>();
    expiry.promote(0, 0);
    long now = 0;
    for (int i = 0; i < 50_000; i++) {
      now += random.nextInt(200) * (SECOND / 1_000);
      long id = random.nextInt(400) * 0x1_0000_0001L;
      switch (random.nextInt(4)) {
        case 0 -> {
          if (!ends.containsKey(id)) {
            long ttl = 2 + random.nextInt(40);
            ttls.put(id, ttl);
            ends.put(id, now + ttl * SECOND);
            expiry.granted(id, ttl, 0, now);
          }
        }
        case 1 -> {
          Renewal renewal = expiry.renew(id, now);
          if (!ends.containsKey(id)) {
            assertThat(renewal).isEqualTo(Renewal.Refused.NOT_FOUND);
          } else if (ends.get(id) <= now) {
            assertThat(renewal).isEqualTo(Renewal.Refused.EXPIRED);
          } else {
            assertThat(renewal).isEqualTo(new Renewal.Renewed(ttls.get(id)));
            ends.put(id, now + ttls.get(id) * SECOND);
          }
        }
        case 2 -> {
          if (random.nextInt(4) == 0) {
            expiry.revoked(id);
            ends.remove(id);
          }
        }
        default -> {
          long at = now;
          List<Long> due = new ArrayList<>(ends.keySet().stream().filter(e -> ends.get(e) <= at).toList());
          assertThat(expiry.expired(now, Integer.MAX_VALUE)).containsExactlyInAnyOrderElementsOf(due);
          due.forEach(expired -> {
            expiry.revoked(expired);
            ends.remove(expired);
          });
        }
      }
      assertThat(expiry.size()).isEqualTo(ends.size());
    }
  }

  @Test
  void aMillionLeasesAreRenewedAndExpired() {
    expiry.promote(0, 0);
    for (int i = 0; i < 1_000_000; i++) {
      expiry.granted(i + 1L, 60 + i % 60, 0, 0);
    }
    for (int i = 0; i < 1_000_000; i++) {
      expiry.renew(i + 1L, 30 * SECOND);
    }
    assertThat(expiry.expired(89 * SECOND, 10)).isEmpty();
    assertThat(expiry.expired(90 * SECOND, 2_000_000)).hasSize(16_667);
  }
}
