package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A map from byte strings to byte strings, ordered bytewise as unsigned, which may hold buckets among its values.
///
/// Of a [ReadTx] it may be read by many threads at once; of a [WriteTx] it belongs to the writer. It is valid while
/// its transaction is open. Keys have 1 to 32768 bytes.
public final class Bucket {
  /// bbolt's bound, which its readers rely on.
  public static final int KEY_BYTES_MAX = 32768;

  Bucket() {}

  /// A copy of the value of `key`. @return null when absent, or when a bucket has that name
  public byte @Nullable [] get(byte[] key) throws CorruptionException {
    throw Invariant.unreachable("engine under construction");
  }

  /// The value of `key` in place: valid while the transaction is open and, in a [WriteTx], until the next change.
  ///
  /// @return null when absent, or when a bucket has that name
  public @Nullable MemorySegment getSegment(byte[] key) throws CorruptionException {
    throw Invariant.unreachable("engine under construction");
  }

  /// Maps `key` to `value`, copying both.
  ///
  /// @throws IllegalArgumentException when the key is empty or too long, or a bucket has that name
  public void put(byte[] key, byte[] value) throws CorruptionException {
    throw Invariant.unreachable("engine under construction");
  }

  /// @return false when absent
  /// @throws IllegalArgumentException when a bucket has that name
  public boolean delete(byte[] key) throws CorruptionException {
    throw Invariant.unreachable("engine under construction");
  }

  /// A new cursor, standing nowhere.
  public Cursor cursor() {
    throw Invariant.unreachable("engine under construction");
  }

  /// How full this transaction's commit leaves pages it splits, 0.1 to 1.0 (others are clamped). 0.5 unless set;
  /// ascending puts, which never come back to a page, want 0.9.
  public void fillPercent(double value) {
    throw Invariant.unreachable("engine under construction");
  }

  /// The bucket of that name in this one. @return null if there is none
  public @Nullable Bucket bucket(byte[] name) throws CorruptionException {
    throw Invariant.unreachable("engine under construction");
  }

  /// @throws IllegalStateException when there is one already
  /// @throws IllegalArgumentException when the name is empty or too long, or a plain value has that key
  public Bucket createBucket(byte[] name) throws CorruptionException {
    throw Invariant.unreachable("engine under construction");
  }

  public Bucket createBucketIfAbsent(byte[] name) throws CorruptionException {
    throw Invariant.unreachable("engine under construction");
  }

  /// Removes a bucket and all in it. @return false when there was none
  public boolean deleteBucket(byte[] name) throws CorruptionException {
    throw Invariant.unreachable("engine under construction");
  }

  /// A number kept with the bucket, for its user. 0 at first.
  public long sequence() {
    throw Invariant.unreachable("engine under construction");
  }

  public void setSequence(long value) {
    throw Invariant.unreachable("engine under construction");
  }
}
