package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import java.lang.foreign.MemorySegment;

/// A place in a [Bucket], moved in key order. Moves return whether it now stands on an element; only then may the
/// element be asked for. One thread's at a time; moves allocate nothing.
///
/// In a [WriteTx] it sees the transaction's own changes. After a change to its bucket other than by [#delete], it must
/// be placed anew with [#first], [#last] or [#seek].
public final class Cursor {
  Cursor() {}

  public boolean first() throws CorruptionException {
    throw Invariant.unreachable("engine under construction");
  }

  public boolean last() throws CorruptionException {
    throw Invariant.unreachable("engine under construction");
  }

  /// To the first element whose key is not below `key`.
  public boolean seek(byte[] key) throws CorruptionException {
    throw Invariant.unreachable("engine under construction");
  }

  public boolean next() throws CorruptionException {
    throw Invariant.unreachable("engine under construction");
  }

  public boolean previous() throws CorruptionException {
    throw Invariant.unreachable("engine under construction");
  }

  /// A copy.
  public byte[] key() {
    throw Invariant.unreachable("engine under construction");
  }

  /// A copy. Of a bucket: its header, and its page if inline.
  public byte[] value() {
    throw Invariant.unreachable("engine under construction");
  }

  public int keyLength() {
    throw Invariant.unreachable("engine under construction");
  }

  public int valueLength() {
    throw Invariant.unreachable("engine under construction");
  }

  /// Copies the key's bytes to `target` from `at` on.
  public void copyKey(byte[] target, int at) {
    throw Invariant.unreachable("engine under construction");
  }

  /// Copies the value's bytes to `target` from `at` on.
  public void copyValue(byte[] target, int at) {
    throw Invariant.unreachable("engine under construction");
  }

  /// The key in place: valid while the transaction is open and, in a [WriteTx], until the next change.
  public MemorySegment keySegment() {
    throw Invariant.unreachable("engine under construction");
  }

  /// The value in place, valid like [#keySegment].
  public MemorySegment valueSegment() {
    throw Invariant.unreachable("engine under construction");
  }

  /// Whether the element is a nested bucket.
  public boolean isBucket() {
    throw Invariant.unreachable("engine under construction");
  }

  /// Removes the plain element. Then [#next] goes to the one after it and [#previous] to the one before.
  public void delete() throws CorruptionException {
    throw Invariant.unreachable("engine under construction");
  }
}
