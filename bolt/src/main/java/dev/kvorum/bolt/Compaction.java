package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A copy of one state into another, empty database: no free pages, every page filled. etcd's defragmentation.
///
/// It goes in bounded steps, so that its loop may serve others in between. The target is committed every 10,000 keys.
/// Sequences are copied, though etcd, which has none, does not.
public final class Compaction implements AutoCloseable {
  private static final int COMMIT_KEYS = 10_000;
  private static final double FILL_PERCENT = 0.9;

  /// A bucket being copied: where it is read, its name, and where it is written in the current transaction.
  private static final class Level {
    final byte[] name;
    final Bucket source;
    final Cursor cursor;
    Bucket target;
    byte[] last = new byte[0];

    Level(byte[] name, Bucket source, Bucket target) {
      this.name = name;
      this.source = source;
      this.cursor = source.cursor();
      this.target = target;
    }
  }

  private final Bolt target;
  private final ArrayDeque<Level> levels = new ArrayDeque<>();
  private @Nullable WriteTx tx;
  private long keysCopied;
  private int keysInTx;
  private boolean done;

  private Compaction(ReadTx source, Bolt target) throws IOException {
    this.target = target;
    this.tx = target.beginWrite();
    levels.push(new Level(new byte[0], source.root(), tx.root()));
  }

  /// @param source stays open until the copy is done; closing it is the caller's
  /// @param target empty, used by nobody else meanwhile
  /// @throws CorruptionException when nothing is proven of `source` yet, as when it was opened read-only, and it has
  ///     pages that hold each other: following them would never end
  public static Compaction begin(ReadTx source, Bolt target) throws IOException {
    if (!source.bolt().isProven()) {
      PageWalk.reachable(source.pages(), source.meta().root());
    }
    return new Compaction(source, target);
  }

  /// Copies at most `keysMax` elements. @return whether all is copied and committed
  public boolean step(int keysMax) throws IOException {
    for (int i = 0; i < keysMax && !done; i++) {
      copyNext();
    }
    return done;
  }

  private void copyNext() throws IOException {
    Level level = levels.element();
    if (!level.cursor.next()) {
      levels.pop();
      if (levels.isEmpty()) {
        commit();
        done = true;
      }
      return;
    }
    byte[] key = level.cursor.key();
    if (Arrays.compareUnsigned(level.last, key) >= 0) {
      throw level.source.pages.corrupt(0, "keys do not ascend");
    }
    level.last = key;
    if (level.cursor.isBucket()) {
      descend(level, key);
    } else {
      level.target.put(key, level.cursor.value());
    }
    keysCopied++;
    if (++keysInTx >= COMMIT_KEYS) {
      commit();
      resume();
    }
  }

  private void descend(Level level, byte[] name) throws CorruptionException {
    Bucket source = level.source.bucket(name);
    if (source == null) {
      throw level.source.pages.corrupt(0, "a bucket that a cursor stands on is not found by its name");
    }
    Bucket copy = level.target.createBucket(name);
    copy.setSequence(source.sequence());
    copy.fillPercent(FILL_PERCENT);
    levels.push(new Level(name, source, copy));
  }

  private void commit() throws IOException {
    WriteTx current = tx;
    tx = null;
    keysInTx = 0;
    if (current != null) {
      current.commit();
    }
  }

  /// Begins the next transaction and finds the target buckets in it again.
  private void resume() throws IOException {
    tx = target.beginWrite();
    List<Level> downwards = new ArrayList<>(levels).reversed();
    Bucket bucket = tx.root();
    for (Level level : downwards) {
      if (level.name.length > 0) {
        bucket = bucket.bucket(level.name);
        Invariant.check(bucket != null, "a copied bucket is not there");
        bucket.fillPercent(FILL_PERCENT);
      }
      level.target = bucket;
    }
  }

  public long keysCopied() {
    return keysCopied;
  }

  /// All at once.
  public static void copy(ReadTx source, Bolt target) throws IOException {
    try (Compaction compaction = begin(source, target)) {
      while (!compaction.step(COMMIT_KEYS)) {
        // each step copies some, and the source has an end
      }
    }
  }

  /// Abandons an unfinished copy: the target holds a part, and is good for nothing but removal.
  @Override
  public void close() {
    WriteTx current = tx;
    tx = null;
    if (current != null) {
      current.rollback();
    }
  }
}
