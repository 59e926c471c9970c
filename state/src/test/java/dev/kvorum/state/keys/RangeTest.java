package dev.kvorum.state.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.state.keys.RangeOptions.SortOrder;
import dev.kvorum.state.keys.RangeOptions.SortTarget;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Range, aspect by aspect (api.md §3.1).
class RangeTest {
  private static final KeyRange ALL = KeyRange.all();

  @TempDir Path directory;

  private StoreRig rig;

  /// a: created 2, mod 5, version 2, value "z" · b: 3, 3, 1, "y" · c: 4, 6, 2, "x", lease 7 · d: 7, 7, 1, "w"
  @BeforeEach
  void open() throws IOException {
    rig = new StoreRig(directory.resolve("db"));
    rig.put("a", "0");
    rig.put("b", "y");
    rig.put("c", "0");
    rig.put("a", "z");
    rig.put("c", "x", 7);
    rig.put("d", "w");
  }

  private RangeResult range(KeyRange range, RangeOptions options) throws CorruptionException {
    try (KvView view = rig.store.view()) {
      return view.range(range, options);
    }
  }

  private static List<String> keys(RangeResult result) {
    return Arrays.stream(result.kvs()).map(kv -> StoredKv.decode(kv).key().toUtf8()).toList();
  }

  private List<String> keys(RangeOptions options) throws CorruptionException {
    return keys(range(ALL, options));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void everyTargetSortsBothWays(boolean committed) throws IOException {
    if (committed) {
      rig.commit();
    }
    assertThat(keys(RangeOptions.LATEST.sorted(SortTarget.KEY, SortOrder.ASCEND))).containsExactly("a", "b", "c", "d");
    assertThat(keys(RangeOptions.LATEST.sorted(SortTarget.KEY, SortOrder.DESCEND))).containsExactly("d", "c", "b", "a");
    assertThat(keys(RangeOptions.LATEST.sorted(SortTarget.MOD, SortOrder.ASCEND))).containsExactly("b", "a", "c", "d");
    assertThat(keys(RangeOptions.LATEST.sorted(SortTarget.MOD, SortOrder.DESCEND))).containsExactly("d", "c", "a", "b");
    assertThat(keys(RangeOptions.LATEST.sorted(SortTarget.CREATE, SortOrder.DESCEND))).startsWith("d", "c", "b");
    assertThat(keys(RangeOptions.LATEST.sorted(SortTarget.VALUE, SortOrder.ASCEND))).startsWith("d", "c", "b", "a");
    assertThat(keys(RangeOptions.LATEST.sorted(SortTarget.VERSION, SortOrder.ASCEND)).subList(0, 2))
        .containsExactlyInAnyOrder("b", "d");
    assertThat(keys(RangeOptions.LATEST.sorted(SortTarget.VALUE, SortOrder.NONE))).startsWith("d", "c", "b", "a");
  }

  @Test
  void aLimitCutsAfterSorting() throws IOException {
    RangeResult result = range(ALL, RangeOptions.LATEST.sorted(SortTarget.MOD, SortOrder.DESCEND).limit(2));
    assertThat(keys(result)).containsExactly("d", "c");
    assertThat(result.more()).isTrue();
    assertThat(result.count()).isEqualTo(4);
  }

  @Test
  void aTargetWithoutOrderSortsOnlyWhatTheLimitLeftAsEtcdDoes() throws IOException {
    RangeResult result = range(ALL, RangeOptions.LATEST.sorted(SortTarget.VALUE, SortOrder.NONE).limit(2));
    assertThat(keys(result)).containsExactly("c", "b");
    assertThat(result.more()).isTrue();
  }

  @Test
  void aLimitThatNothingExceedsCutsNothing() throws IOException {
    RangeResult result = range(ALL, RangeOptions.LATEST.limit(4));
    assertThat(keys(result)).hasSize(4);
    assertThat(result.more()).isFalse();
    assertThat(range(ALL, RangeOptions.LATEST.limit(Long.MAX_VALUE)).kvs()).hasNumberOfRows(4);
    assertThat(range(ALL, RangeOptions.LATEST.limit(-1)).kvs()).hasNumberOfRows(4);
  }

  @Test
  void filtersAreInclusiveAndTheLimitComesAfterThem() throws IOException {
    assertThat(keys(RangeOptions.LATEST.modified(5, 6))).containsExactly("a", "c");
    assertThat(keys(RangeOptions.LATEST.created(3, 4))).containsExactly("b", "c");
    assertThat(keys(RangeOptions.LATEST.modified(0, 5).created(3, 0))).containsExactly("b");
    RangeResult result = range(ALL, RangeOptions.LATEST.modified(5, 0).limit(2));
    assertThat(keys(result)).containsExactly("a", "c");
    assertThat(result.more()).isTrue();
    assertThat(result.count()).isEqualTo(4);
  }

  @Test
  void countOnlyHasNoKeysAndNoMore() throws IOException {
    RangeResult result = range(ALL, RangeOptions.LATEST.counting().limit(1).modified(5, 5));
    assertThat(result.kvs()).isEmpty();
    assertThat(result.count()).isEqualTo(4);
    assertThat(result.more()).isFalse();
  }

  @Test
  void keysOnlyIsAnsweredWithoutValueAndLease() throws IOException {
    RangeResult result = range(KeyRange.single(Bytes.utf8("c")), RangeOptions.LATEST.keysOnly(true));
    assertThat(result.kvs())
        .isDeepEqualTo(new byte[][] {StoredKv.encode(Bytes.utf8("c").array(), 4, 6, 2, new byte[0], 0)});
    assertThat(result.count()).isEqualTo(1);
  }

  @Test
  void keysOnlySortedByValueKeepsTheLease() throws IOException {
    RangeOptions options = RangeOptions.LATEST.keysOnly(true).sorted(SortTarget.VALUE, SortOrder.ASCEND);
    RangeResult result = range(ALL, options);
    assertThat(keys(result)).containsExactly("d", "c", "b", "a");
    assertThat(result.kvs()[1]).isEqualTo(StoredKv.encode(Bytes.utf8("c").array(), 4, 6, 2, new byte[0], 7));
  }

  @Test
  void oldRevisionsAreReadAsTheyWere() throws IOException {
    RangeResult result = range(ALL, RangeOptions.LATEST.at(4));
    assertThat(keys(result)).containsExactly("a", "b", "c");
    assertThat(StoredKv.decode(result.kvs()[0]).value().toUtf8()).isEqualTo("0");
    assertThat(result.revision()).isEqualTo(7);
    assertThat(range(ALL, RangeOptions.LATEST.at(4).limit(1)).count()).isEqualTo(3);
    assertThat(range(ALL, RangeOptions.LATEST.at(4).limit(1).withCount(false)).count()).isLessThanOrEqualTo(3);
    assertThat(keys(RangeOptions.LATEST.at(-3))).hasSize(4);
  }

  @Test
  void revisionsOutsideHistoryAreRefused() throws IOException {
    rig.store.compact(5);
    rig.store.publish();
    assertThat(keys(RangeOptions.LATEST.at(5))).containsExactly("a", "b", "c");
    assertThatThrownBy(() -> keys(RangeOptions.LATEST.at(4))).isSameAs(EtcdException.of(EtcdError.COMPACTED));
    assertThatThrownBy(() -> keys(RangeOptions.LATEST.at(8))).isSameAs(EtcdException.of(EtcdError.FUTURE_REV));
    assertThatThrownBy(() -> keys(RangeOptions.LATEST.at(4).counting()))
        .isSameAs(EtcdException.of(EtcdError.COMPACTED));
  }

  @Test
  void aRecreatedKeyStartsOver() throws IOException {
    rig.delete("a");
    assertThat(keys(RangeOptions.LATEST)).containsExactly("b", "c", "d");
    rig.put("a", "new");
    try (KvView view = rig.store.view()) {
      StoredKv kv = StoredKv.decode(view.get(Bytes.utf8("a"), 0));
      assertThat(kv.createRevision()).isEqualTo(9);
      assertThat(kv.version()).isEqualTo(1);
    }
  }

  @Test
  void theEndIsReadAsEtcdSpellsIt() {
    Bytes a = Bytes.utf8("a");
    assertThat(KeyRange.decode(a, Bytes.EMPTY)).isEqualTo(KeyRange.single(a));
    assertThat(KeyRange.decode(a, Bytes.wrap(new byte[1]))).isEqualTo(KeyRange.from(a));
    assertThat(KeyRange.decode(Bytes.wrap(new byte[1]), Bytes.wrap(new byte[1]))).isEqualTo(KeyRange.all());
    KeyRange empty = KeyRange.decode(Bytes.utf8("b"), a);
    assertThat(empty.isEmpty()).isTrue();
    assertThat(empty.contains(a)).isFalse();
    assertThat(KeyRange.single(a).contains(a)).isTrue();
    assertThat(KeyRange.single(a).contains(Bytes.utf8("aa"))).isFalse();
    assertThat(KeyRange.range(a, Bytes.utf8("b")).contains(Bytes.utf8("azz"))).isTrue();
    assertThat(KeyRange.range(a, Bytes.utf8("b")).contains(Bytes.utf8("b"))).isFalse();
  }

  @Test
  void aPrefixEndsBehindItsLastByteThatCanGrow() {
    Bytes ff = Bytes.wrap(new byte[] {'a', (byte) 0xff});
    assertThat(KeyRange.prefix(ff)).isEqualTo(KeyRange.range(ff, Bytes.utf8("b")));
    Bytes all = Bytes.wrap(new byte[] {(byte) 0xff, (byte) 0xff});
    assertThat(KeyRange.prefix(all)).isEqualTo(KeyRange.from(all));
    assertThat(KeyRange.prefix(Bytes.EMPTY)).isEqualTo(KeyRange.all());
  }

  @Test
  void manyScatteredRevisionsAreFoundInBoltAndInMemory() throws IOException {
    for (int i = 0; i < 3000; i++) {
      rig.put(String.format("s/%04d", i * 7919 % 3000), "v" + i);
      if (i % 700 == 0) {
        rig.commit();
      }
    }
    RangeResult result = range(KeyRange.prefix(Bytes.utf8("s/")), RangeOptions.LATEST);
    assertThat(result.count()).isEqualTo(3000);
    for (int i = 0; i < 3000; i++) {
      StoredKv kv = StoredKv.decode(result.kvs()[i]);
      assertThat(kv.key().toUtf8()).isEqualTo(String.format("s/%04d", i));
      int written = Integer.parseInt(kv.value().toUtf8().substring(1));
      assertThat(written * 7919 % 3000).isEqualTo(i);
    }
  }
}
