package dev.kvorum.raft.quorum;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

class QuorumTest {
  @Test
  void idsAreOrderedUnsigned() {
    IdSet set = IdSet.of(-1, 5, Long.MIN_VALUE, 5, 1);
    assertThat(set.toList()).isEqualTo(List.of(1L, 5L, Long.MIN_VALUE, -1L));
    assertThat(set).hasToString("(1 5 8000000000000000 ffffffffffffffff)");
    assertThat(set.without(5).contains(5)).isFalse();
    assertThat(set.without(7)).isSameAs(set);
    assertThat(set.symmetricDifference(IdSet.of(1, 2))).isEqualTo(4);
  }

  @Test
  void anEmptyMajorityAgreesWithEverything() {
    assertThat(MajorityQuorum.committedIndex(IdSet.EMPTY, id -> 0)).isEqualTo(MajorityQuorum.EVERYTHING);
    assertThat(MajorityQuorum.voteResult(IdSet.EMPTY, id -> Votes.NO)).isEqualTo(VoteResult.WON);
  }

  /// Raft paper figure 2: the committed index of any set of voters is what more than half of them hold.
  @Test
  void committedIndexesAgreeWithSorting() {
    long seed = Long.getLong("kvorum.seed", ThreadLocalRandom.current().nextLong(1L << 40));
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 20_000; i++) {
      int n = 1 + random.nextInt(9);
      long[] indexes = random.longs(n, 0, 6).toArray();
      IdSet voters = IdSet.EMPTY;
      Map<Long, Long> acks = new HashMap<>();
      for (int id = 0; id < n; id++) {
        voters = voters.with(id + 1);
        acks.put(id + 1L, indexes[id]);
      }
      long[] sorted = indexes.clone();
      Arrays.sort(sorted);
      assertThat(MajorityQuorum.committedIndex(voters, acks::get))
          .as("seed %d: %s", seed, Arrays.toString(indexes))
          .isEqualTo(sorted[(n - 1) / 2]);
    }
  }

  /// etcd raft: a decision, once made by some votes, is not changed by later ones.
  @Test
  void decisionsAreFinal() {
    long seed = Long.getLong("kvorum.seed", ThreadLocalRandom.current().nextLong(1L << 40));
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 5_000; i++) {
      IdSet incoming = randomSet(random, 1);
      IdSet outgoing = randomSet(random, 0);
      JointQuorum quorum = new JointQuorum(incoming, outgoing);
      Map<Long, Byte> votes = new HashMap<>();
      VoteResult before = VoteResult.PENDING;
      for (long id : quorum.ids().toList()) {
        votes.put(id, random.nextBoolean() ? Votes.YES : Votes.NO);
        VoteResult now = quorum.voteResult(v -> votes.getOrDefault(v, Votes.MISSING));
        if (before != VoteResult.PENDING) {
          assertThat(now).as("seed %d: %s %s", seed, quorum, votes).isEqualTo(before);
        }
        before = now;
      }
      assertThat(before).as("everybody voted").isNotEqualTo(VoteResult.PENDING);
    }
  }

  private static IdSet randomSet(SplittableRandom random, int sizeMin) {
    IdSet set = IdSet.EMPTY;
    for (int n = sizeMin + random.nextInt(5); n > 0; n--) {
      set = set.with(1 + random.nextInt(7));
    }
    return set;
  }
}
