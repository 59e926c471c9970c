package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

/// The end of the log that is not saved yet: what it hands out is what was appended last at each index, copied or not.
class UnstableTest {
  @Test
  void aRunIsHandedOutAsItCame() {
    Unstable unstable = new Unstable(5, RaftLog.SILENT);
    List<Entry> run = Solo.entries(5, 1, 1, 1);
    unstable.truncateAndAppend(run);
    assertThat(unstable.slice(5, 8)).isSameAs(run);
    assertThat(unstable.nextEntries()).isSameAs(run);
    assertThat(unstable.slice(6, 8)).isEqualTo(run.subList(1, 3));
  }

  @Test
  void everySliceHoldsWhatWasAppendedLast() {
    long seed = Long.getLong("kvorum.seed", ThreadLocalRandom.current().nextLong(1L << 40));
    System.out.println("UnstableTest seed " + seed);
    SplittableRandom random = new SplittableRandom(seed);
    for (int story = 0; story < 200; story++) {
      Unstable unstable = new Unstable(1, RaftLog.SILENT);
      List<Entry> model = new ArrayList<>(); // all that was ever appended and not replaced
      for (int term = 1; term <= 30; term++) {
        long offset = unstable.offset();
        if (unstable.hasEntries() && random.nextInt(3) == 0) {
          long stable = offset + random.nextInt(unstable.count());
          unstable.stableTo(stable, unstable.term(stable));
        } else {
          long from = offset + random.nextInt(unstable.count() + 1);
          long[] terms = new long[1 + random.nextInt(5)];
          Arrays.fill(terms, term);
          List<Entry> run = List.copyOf(Solo.entries(from, terms));
          unstable.truncateAndAppend(run);
          model.subList((int) from - 1, model.size()).clear();
          model.addAll(run);
        }
        for (long low = unstable.offset(); low <= model.size(); low++) {
          for (long high = low; high <= model.size() + 1; high++) {
            assertThat(unstable.slice(low, high)).isEqualTo(model.subList((int) low - 1, (int) high - 1));
          }
        }
      }
    }
  }
}
