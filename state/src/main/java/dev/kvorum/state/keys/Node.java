package dev.kvorum.state.keys;

import dev.kvorum.env.Invariant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A node of the index tree. Immutable once published; until then its creator may edit it in place.
///
/// `owner` is the number of the batch of edits that made the node. The tree's writer edits a node in place only when
/// that is the batch it is in, and copies it otherwise ([KeyIndex]). A copy shares those arrays with its original that
/// most edits leave alone, and copies them when it must.
abstract sealed class Node permits Leaf, Branch {
  final long owner;

  Node(long owner) {
    this.owner = owner;
  }

  /// Entries of a leaf, children of a branch.
  abstract int size();

  /// Keys in this subtree whose newest revision is not a tombstone.
  abstract int live();

  /// Live keys in this subtree that are below `key`.
  abstract int liveBelow(byte[] key);

  /// Bytes on the heap of this subtree, as a compressed-pointer JVM lays them out.
  abstract long heapBytes();

  static long arrayBytes(long elements) {
    return 16 + elements + 7 & ~7L;
  }

  abstract void checkInvariants(byte @Nullable [] low, byte @Nullable [] high);

  static void checkBetween(byte[] key, byte @Nullable [] low, byte @Nullable [] high) {
    Invariant.check(low == null || Arrays.compareUnsigned(key, low) >= 0, "key below its subtree's bound");
    Invariant.check(high == null || Arrays.compareUnsigned(key, high) < 0, "key not below the next subtree's bound");
  }
}
