package dev.kvorum.state.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.env.Bytes;
import dev.kvorum.state.keys.RangeOptions.SortOrder;
import dev.kvorum.state.keys.RangeOptions.SortTarget;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Ranges measured and read in pieces are the ranges read at once.
class KeyScanTest {
  @TempDir Path directory;

  private StoreRig rig;

  @BeforeEach
  void open() throws IOException {
    rig = new StoreRig(directory.resolve("db"));
  }

  @Test
  void anyRangeInKeyOrderIsTheSameInPieces() throws IOException {
    long seed = Long.getLong("kvorum.seed", System.nanoTime());
    System.out.println("KeyScanTest: -Dkvorum.seed=" + seed);
    Random random = new Random(seed);
    fill(random, 400);
    for (int i = 0; i < 300; i++) {
      RangeOptions options = options(random);
      KeyRange range = range(random);
      try (KvView view = rig.store.view()) {
        RangeResult whole = view.range(range, options);
        assertThat(pieces(range, options, 1 + random.nextInt(40), 1 + random.nextInt(2_000)))
            .as("seed %d, %s of %s", seed, options, range)
            .isDeepEqualTo(whole.kvs());
        KeyScan scan = measured(view, range, options, 1 + random.nextInt(50));
        assertThat(scan.count()).as("seed %d, %s of %s", seed, options, range).isEqualTo(whole.count());
        assertThat(scan.more()).as("seed %d, %s of %s", seed, options, range).isEqualTo(whole.more());
        assertThat(scan.bytes()).as("seed %d, %s of %s", seed, options, range).isEqualTo(sizeOf(whole));
      }
    }
  }

  /// Puts in random order, deletes, overwrites; some committed, some not.
  private void fill(Random random, int keys) throws IOException {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < keys; i++) {
      order.add(i);
    }
    Collections.shuffle(order, random);
    for (int key : order) {
      rig.put(name(key), "v".repeat(random.nextInt(200)));
    }
    rig.commit();
    for (int i = 0; i < keys / 2; i++) {
      String key = name(random.nextInt(keys));
      if (random.nextInt(3) == 0) {
        rig.delete(key);
      } else {
        rig.put(key, "w".repeat(random.nextInt(2_000)), random.nextInt(3));
      }
    }
  }

  private static String name(int key) {
    return String.format("k%04d", key);
  }

  private static RangeOptions options(Random random) {
    RangeOptions options = RangeOptions.LATEST.keysOnly(random.nextInt(4) == 0);
    if (random.nextBoolean()) {
      options = options.at(1 + random.nextInt(400));
    }
    if (random.nextInt(3) == 0) {
      options = options.limit(random.nextInt(500));
    }
    if (random.nextInt(3) == 0) {
      options = options.modified(random.nextInt(300), random.nextInt(600)).created(random.nextInt(100), 0);
    }
    return random.nextBoolean() ? options : options.sorted(SortTarget.KEY, SortOrder.ASCEND);
  }

  private static KeyRange range(Random random) {
    Bytes start = Bytes.utf8(name(random.nextInt(400)));
    return switch (random.nextInt(4)) {
      case 0 -> KeyRange.all();
      case 1 -> KeyRange.from(start);
      case 2 -> KeyRange.single(start);
      default -> KeyRange.range(start, Bytes.utf8(name(random.nextInt(400))));
    };
  }

  private static KeyScan measured(KvView view, KeyRange range, RangeOptions options, int keysMax) throws IOException {
    KeyScan scan = new KeyScan(view, range, options);
    while (scan.measure(view, keysMax)) {
      assertThat(scan.isKnownTo(view)).isTrue();
    }
    return scan;
  }

  private byte[][] pieces(KeyRange range, RangeOptions options, int keysMax, int pieceBytes) throws IOException {
    KeyScan scan;
    try (KvView view = rig.store.view()) {
      scan = measured(view, range, options, keysMax);
    }
    List<byte[]> all = new ArrayList<>();
    while (true) {
      rig.put("zz" + all.size(), "what comes later is not seen");
      try (KvView later = rig.store.view()) {
        byte[][] piece = scan.next(later, pieceBytes);
        if (piece.length == 0) {
          return all.toArray(byte[][]::new);
        }
        assertThat(piece.length == 1 || sizeOf(piece) <= 2L * pieceBytes + 10L * piece.length).isTrue();
        all.addAll(List.of(piece));
      } finally {
        rig.delete("zz" + all.size());
      }
    }
  }

  private static long sizeOf(byte[][] kvs) {
    return sizeOf(new RangeResult(kvs, 0, false, 0));
  }

  private static long sizeOf(RangeResult result) {
    long size = 0;
    for (byte[] kv : result.kvs()) {
      size += ProtoWriter.bytesAlwaysSize(2, kv.length);
    }
    return size;
  }

  @Test
  void compactionAboveItsRevisionIsNoticedAndTheOldViewStillServes() throws IOException {
    for (int i = 0; i < 20; i++) {
      rig.put(name(i), "before");
    }
    try (KvView old = rig.store.view()) {
      KeyScan scan = measured(old, KeyRange.all(), RangeOptions.LATEST, 5);
      rig.put(name(3), "after");
      rig.store.compact(rig.store.currentRevision());
      rig.store.publish();
      try (KvView now = rig.store.view()) {
        assertThat(scan.isKnownTo(now)).isFalse();
        assertThat(scan.isKnownTo(old)).isTrue();
      }
      assertThat(scan.next(old, 1 << 20)).hasNumberOfRows(20);
      assertThat(scan.next(old, 1 << 20)).isEmpty();
    }
  }

  @Test
  void revisionsOutsideHistoryAreRefused() throws IOException {
    rig.put("a", "1");
    rig.put("a", "2");
    rig.store.compact(3);
    rig.store.publish();
    try (KvView view = rig.store.view()) {
      assertThatThrownBy(() -> new KeyScan(view, KeyRange.all(), RangeOptions.LATEST.at(2)))
          .isSameAs(EtcdException.of(EtcdError.COMPACTED));
      assertThatThrownBy(() -> new KeyScan(view, KeyRange.all(), RangeOptions.LATEST.at(9)))
          .isSameAs(EtcdException.of(EtcdError.FUTURE_REV));
    }
  }

  @Test
  void aRangeIsGivenUpAsSoonAsItIsLargerThanAllowed() throws IOException {
    for (int i = 0; i < 50; i++) {
      rig.put(name(i), "v".repeat(1000));
    }
    for (boolean committed : new boolean[] {false, true}) {
      try (KvView view = rig.store.view()) {
        assertThat(view.rangeWithin(KeyRange.all(), RangeOptions.LATEST, 49_000)).as("committed %s", committed).isNull();
        assertThat(view.rangeWithin(KeyRange.all(), RangeOptions.LATEST, 52_000)).isNotNull();
        assertThat(view.rangeWithin(KeyRange.all(), RangeOptions.LATEST.keysOnly(true), 100)).isNull();
        assertThat(view.rangeWithin(KeyRange.all(), RangeOptions.LATEST.limit(2), 4_000)).isNotNull();
      }
      rig.commit();
    }
  }
}
