package dev.kvorum.bolt;

import java.nio.ByteBuffer;
import java.util.Arrays;

/// The keys and choices of [BoltBenchmark], the same as its sibling in Go makes them.
final class BoltBenchmarkKeys {
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private BoltBenchmarkKeys() {}

  interface Source {
    byte[] key(int n);
  }

  /// The finaliser of SplitMix64: a permutation of the 64-bit numbers that looks random.
  static long mix(long n) {
    n = (n ^ (n >>> 30)) * 0xbf58476d1ce4e5b9L;
    n = (n ^ (n >>> 27)) * 0x94d049bb133111ebL;
    return n ^ (n >>> 31);
  }

  /// SplitMix64 itself.
  static final class Draws {
    private long state;

    Draws(long seed) {
      state = seed;
    }

    int below(int bound) {
      state += GOLDEN;
      return (int) ((mix(state) >>> 1) % bound);
    }
  }

  /// The n-th revision, as etcd's key bucket spells it: 17 bytes.
  static byte[] sequential(int n) {
    return ByteBuffer.allocate(17).putLong(n).put((byte) '_').array();
  }

  /// 16 to 34 bytes that look random.
  static byte[] random(int n) {
    long h = mix((n + 1) * GOLDEN);
    ByteBuffer room = ByteBuffer.allocate(40);
    for (int i = 0; i < 5; i++) {
      room.putLong(h);
      h = mix(h + GOLDEN);
    }
    return Arrays.copyOf(room.array(), 16 + (int) Long.remainderUnsigned(h, 19));
  }

  /// What all keys map to.
  static byte[] value() {
    byte[] value = new byte[256];
    for (int i = 0; i < value.length; i++) {
      value[i] = (byte) mix(i);
    }
    return value;
  }
}
