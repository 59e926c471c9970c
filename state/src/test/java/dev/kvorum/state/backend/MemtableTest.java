package dev.kvorum.state.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.InvariantViolation;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MemtableTest {
  private static byte[] record(int n) {
    return new byte[] {(byte) n, (byte) (n >>> 8)};
  }

  @Test
  void rowsAreFoundByRevisionHoweverManySubsEachHas() {
    long seed = Long.getLong("kvorum.seed", System.nanoTime());
    Random random = new Random(seed);
    Memtable table = new Memtable();
    long[] mains = new long[5000];
    int[] subs = new int[5000];
    long main = 100;
    int sub = -1;
    for (int row = 0; row < mains.length; row++) {
      boolean sameTxn = sub >= 0 && random.nextInt(3) == 0;
      main += sameTxn || sub < 0 ? 0 : 1;
      sub = sameTxn ? sub + 1 : 0;
      mains[row] = main;
      subs[row] = sub;
      table.append(main, sub, row % 7 == 0, record(row));
    }
    Memtable.Slice slice = table.slice();
    for (int row = 0; row < mains.length; row++) {
      assertThat(slice.ceiling(mains[row], subs[row])).as("seed %d", seed).isEqualTo(row);
      assertThat(slice.find(mains[row], subs[row])).isEqualTo(record(row));
      assertThat(slice.isTombstone(row)).isEqualTo(row % 7 == 0);
      int next = slice.ceiling(mains[row], subs[row] + 1);
      assertThat(next).isEqualTo(row + 1);
    }
    assertThat(slice.ceiling(0, 0)).isZero();
    assertThat(slice.ceiling(main + 1, 0)).isEqualTo(mains.length);
    assertThat(slice.ceiling(Long.MAX_VALUE - 1, 5)).isEqualTo(mains.length);
  }

  @Test
  void aSliceDoesNotGrowWithItsTable() {
    Memtable table = new Memtable();
    table.append(5, 0, false, record(1));
    Memtable.Slice slice = table.slice();
    for (int i = 6; i < 3000; i++) {
      table.append(i, 0, false, record(i));
    }
    assertThat(slice.rows()).isEqualTo(1);
    assertThat(slice.firstMain()).isEqualTo(5);
    assertThat(slice.ceiling(6, 0)).isEqualTo(1);
    assertThat(table.rows()).isEqualTo(2995);
  }

  @Test
  void anEmptySliceIsAboveEverything() {
    Memtable.Slice slice = new Memtable().slice();
    assertThat(slice.firstMain()).isEqualTo(Long.MAX_VALUE);
    assertThat(slice.ceiling(7, 0)).isZero();
  }

  @Test
  void revisionsFollowEachOther() {
    Memtable table = new Memtable();
    table.append(5, 0, false, record(1));
    assertThatThrownBy(() -> table.append(5, 0, false, record(2))).isInstanceOf(InvariantViolation.class);
    assertThatThrownBy(() -> table.append(7, 0, false, record(2))).isInstanceOf(InvariantViolation.class);
    assertThatThrownBy(() -> table.slice().find(6, 0)).isInstanceOf(InvariantViolation.class);
  }
}
