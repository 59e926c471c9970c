package dev.kvorum.state.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.InvariantViolation;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class KeyEntryTest {
  /// The example of [KeyEntry]'s page: put 2, put 3, delete 4, put 6.
  private static KeyEntry example() {
    return KeyEntry.created(2, 0).put(3, 0).tombstone(4, 0).put(6, 0);
  }

  private static List<String> history(KeyEntry entry) {
    List<String> rows = new ArrayList<>();
    for (int i = 0; i <= entry.last(); i++) {
      rows.add(
          entry.mainAt(i) + "." + entry.subAt(i) + (entry.isTombstone(i) ? "t" : "") + " created "
              + entry.createdAt(i) + " version " + entry.versionAt(i));
    }
    return rows;
  }

  @Test
  void generationsCountFromTheirFirstPut() {
    assertThat(history(example()))
        .containsExactly(
            "2.0 created 2 version 1", "3.0 created 2 version 2", "4.0t created 2 version 3",
            "6.0 created 6 version 1");
  }

  @Test
  void aKeyIsAbsentBetweenItsGenerations() {
    KeyEntry entry = example();
    assertThat(entry.liveAt(1)).isEqualTo(-1);
    assertThat(entry.liveAt(2)).isEqualTo(0);
    assertThat(entry.liveAt(3)).isEqualTo(1);
    assertThat(entry.liveAt(4)).isEqualTo(-1);
    assertThat(entry.liveAt(5)).isEqualTo(-1);
    assertThat(entry.liveAt(6)).isEqualTo(3);
    assertThat(entry.liveAt(Long.MAX_VALUE)).isEqualTo(3);
  }

  @Test
  void compactionKeepsTheNewestRevisionAndATombstoneOnlyAtItsOwn() {
    assertThat(history(example().compacted(1))).hasSize(4);
    assertThat(history(example().compacted(2))).hasSize(4);
    assertThat(history(example().compacted(3)))
        .containsExactly("3.0 created 2 version 2", "4.0t created 2 version 3", "6.0 created 6 version 1");
    assertThat(history(example().compacted(4))).containsExactly("4.0t created 2 version 3", "6.0 created 6 version 1");
    assertThat(history(example().compacted(5))).containsExactly("6.0 created 6 version 1");
    assertThat(history(example().compacted(6))).containsExactly("6.0 created 6 version 1");
    assertThat(example().tombstone(7, 0).compacted(7)).isNotNull();
    assertThat(example().tombstone(7, 0).compacted(8)).isNull();
  }

  @Test
  void whatIsKeptIsWhatCompactionLeaves() {
    KeyEntry entry = example().tombstone(7, 2);
    assertThat(entry.isKept(3, 0, 3, false)).isTrue();
    assertThat(entry.isKept(2, 0, 3, false)).isFalse();
    assertThat(entry.isKept(4, 0, 4, true)).isTrue();
    assertThat(entry.isKept(4, 0, 4, false)).isFalse();
    assertThat(entry.isKept(4, 0, 5, true)).isFalse();
    assertThat(entry.isKept(6, 0, 6, true)).isTrue();
    assertThat(entry.isKept(7, 1, 7, true)).isFalse();
    assertThat(entry.isKept(7, 2, 7, true)).isTrue();
    assertThat(entry.compacted(4).isKept(4, 0, 4, true)).isTrue();
  }

  @Test
  void aLongHistoryAnswersLikeAShortOne() {
    KeyEntry entry = KeyEntry.created(2, 0);
    List<KeyEntry> older = new ArrayList<>();
    for (int i = 3; i < 5000; i++) {
      if (i % 1000 == 0) {
        older.add(entry);
      }
      entry = entry.put(i, i % 3);
    }
    for (int rev = 2; rev < 5000; rev += 7) {
      int at = entry.liveAt(rev);
      assertThat(entry.mainAt(at)).isEqualTo(rev);
      assertThat(entry.subAt(at)).isEqualTo(rev == 2 ? 0 : rev % 3);
      assertThat(entry.versionAt(at)).isEqualTo(rev - 1);
      assertThat(entry.createdAt(at)).isEqualTo(2);
    }
    for (KeyEntry then : older) {
      assertThat(then.mainAt(then.liveAt(Long.MAX_VALUE))).isEqualTo(then.main());
      assertThat(then.mainAt(then.liveAt(500))).isEqualTo(500);
    }
    KeyEntry left = entry.compacted(4990);
    assertThat(left.last()).isEqualTo(9);
    assertThat(left.versionAt(0)).isEqualTo(4989);
    assertThat(left.put(6000, 0).versionAt(10)).isEqualTo(5999 - 1000);
  }

  /// A key put 100,000 times costs a put what any key does: its older revisions are copied when their array doubles or
  /// so, and a compaction looks at what it keeps, not at what goes.
  @Test
  void aHotKeyIsNotCopiedByItsPuts() {
    int puts = 100_000;
    KeyEntry entry = KeyEntry.created(2, 0);
    int copies = 0;
    for (int rev = 3; rev < puts + 2; rev++) {
      RevisionLog before = entry.log();
      entry = entry.put(rev, 0);
      copies += entry.log() == before ? 0 : 1;
    }
    assertThat(copies).isLessThan(40);
    assertThat(entry.last()).isEqualTo(puts - 1);
    assertThat(entry.mainAt(entry.liveAt(50_000))).isEqualTo(50_000);
    KeyEntry left = entry.compacted(puts - 4);
    assertThat(left).isNotNull();
    assertThat(left.last()).isEqualTo(5);
    assertThat(left.log().heapBytes()).isLessThan(200);
    assertThat(left.versionAt(0)).isEqualTo(puts - 5);
  }

  @Test
  void aFirstRecordOfACompactedKeyBringsItsPast() {
    KeyEntry entry = KeyEntry.restored(30, 1, 7, 12, false);
    assertThat(history(entry)).containsExactly("30.1 created 7 version 12");
    assertThat(history(entry.put(31, 0)))
        .containsExactly("30.1 created 7 version 12", "31.0 created 7 version 13");
    KeyEntry tombstone = KeyEntry.restored(30, 0, 0, 0, true);
    assertThat(tombstone.isLive()).isFalse();
    assertThat(tombstone.liveAt(40)).isEqualTo(-1);
    assertThat(history(tombstone.put(31, 0)).getLast()).isEqualTo("31.0 created 31 version 1");
  }

  @Test
  void revisionsOnlyRise() {
    assertThatThrownBy(() -> example().put(6, 0)).isInstanceOf(InvariantViolation.class);
    assertThatThrownBy(() -> example().tombstone(7, 0).tombstone(8, 0)).isInstanceOf(InvariantViolation.class);
  }
}
