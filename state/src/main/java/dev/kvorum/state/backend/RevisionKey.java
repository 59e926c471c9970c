package dev.kvorum.state.backend;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// A revision as the `key` bucket names it: main (u64, big-endian), `_`, sub (u64, big-endian), and a `t` behind it if
/// it is a tombstone. 17 or 18 bytes.
///
/// Source: backend-schema §3.
public final class RevisionKey {
  public static final int SIZE = 17;
  public static final int TOMBSTONE_SIZE = 18;

  private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final int SUB_AT = 9;

  private RevisionKey() {}

  public static byte[] encode(long main, int sub) {
    byte[] key = new byte[SIZE];
    write(key, main, sub);
    return key;
  }

  public static byte[] encode(long main, int sub, boolean tombstone) {
    if (!tombstone) {
      return encode(main, sub);
    }
    byte[] key = new byte[TOMBSTONE_SIZE];
    write(key, main, sub);
    key[SIZE] = 't';
    return key;
  }

  /// Writes the first 17 bytes into an array kept for that.
  public static void write(byte[] target, long main, int sub) {
    LONG.set(target, 0, main);
    target[SUB_AT - 1] = '_';
    LONG.set(target, SUB_AT, (long) sub);
  }

  /// Whether the first `length` bytes of `key` are a revision that we can hold.
  public static boolean isValid(byte[] key, int length) {
    if (length != SIZE && (length != TOMBSTONE_SIZE || key[SIZE] != 't')) {
      return false;
    }
    long sub = (long) LONG.get(key, SUB_AT);
    return key[SUB_AT - 1] == '_' && main(key) >= 0 && sub >= 0 && sub <= Integer.MAX_VALUE;
  }

  public static long main(byte[] key) {
    return (long) LONG.get(key, 0);
  }

  public static int sub(byte[] key) {
    return (int) (long) LONG.get(key, SUB_AT);
  }
}
