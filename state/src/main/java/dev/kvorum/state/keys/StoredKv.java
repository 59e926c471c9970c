package dev.kvorum.state.keys;

import static dev.kvorum.api.ProtoWriter.bytesSize;
import static dev.kvorum.api.ProtoWriter.numberSize;

import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Invariant;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A key value as it is stored and sent: protobuf `mvccpb.KeyValue`.
///
/// ```
///  1 key bytes | 2 create_revision | 3 mod_revision | 4 version | 5 value bytes | 6 lease      (2, 3, 4, 6: int64)
/// ```
/// Fields are written in that order and left out when zero or empty, as Go's protobuf does: HashKV covers these very
/// bytes on every member. The record of a deletion holds its key alone.
///
/// Decoding looks at the numbers and leaves the value where it is, inside [#record].
public final class StoredKv {
  private static final int KEY = 1 << 3 | 2;
  private static final int CREATE = 2 << 3;
  private static final int MOD = 3 << 3;
  private static final int VERSION = 4 << 3;
  private static final int VALUE = 5 << 3 | 2;
  private static final int LEASE = 6 << 3;
  private static final byte[] NONE = new byte[0];

  private final byte[] record;
  private int keyAt;
  private int keyLength;
  private long createRevision;
  private long modRevision;
  private long version;
  private int valueAt;
  private int valueLength;
  private long lease;

  private StoredKv(byte[] record) {
    this.record = record;
  }

  /// @throws dev.kvorum.env.InvariantViolation when it does not parse
  public static StoredKv decode(byte[] record) {
    return decode(record, record.length);
  }

  /// Decodes the first `length` bytes of an array that the caller leaves alone while it uses the result.
  static StoredKv decode(byte[] record, int length) {
    StoredKv kv = new StoredKv(record);
    ProtoReader in = new ProtoReader(record, 0, length);
    try {
      for (int field = in.next(); field != 0; field = in.next()) {
        kv.read(field, in);
      }
      return kv;
    } catch (WireFormatException e) {
      throw malformed(e);
    }
  }

  private void read(int field, ProtoReader in) throws WireFormatException {
    switch (field) {
      case 1 -> {
        int outer = in.enter();
        keyAt = in.position();
        keyLength = in.limit() - keyAt;
        in.leave(outer);
      }
      case 2 -> createRevision = in.number();
      case 3 -> modRevision = in.number();
      case 4 -> version = in.number();
      case 5 -> {
        int outer = in.enter();
        valueAt = in.position();
        valueLength = in.limit() - valueAt;
        in.leave(outer);
      }
      case 6 -> lease = in.number();
      default -> in.skip();
    }
  }

  private static RuntimeException malformed(WireFormatException e) {
    return Invariant.unreachable("a stored key value does not parse: " + e.getMessage());
  }

  /// The stored bytes.
  public byte[] record() {
    return record;
  }

  /// A copy.
  public Bytes key() {
    return Bytes.wrap(keyArray());
  }

  byte[] keyArray() {
    return Arrays.copyOfRange(record, keyAt, keyAt + keyLength);
  }

  public long createRevision() {
    return createRevision;
  }

  public long modRevision() {
    return modRevision;
  }

  /// Changes since the key was created; 1 for the first.
  public long version() {
    return version;
  }

  /// 0 when there is none.
  public long lease() {
    return lease;
  }

  /// A copy.
  public Bytes value() {
    return Bytes.wrap(Arrays.copyOfRange(record, valueAt, valueAt + valueLength));
  }

  /// Where the value begins in [#record].
  public int valueAt() {
    return valueAt;
  }

  public int valueLength() {
    return valueLength;
  }

  int compareValue(StoredKv other) {
    return Arrays.compareUnsigned(
        record, valueAt, valueAt + valueLength, other.record, other.valueAt, other.valueAt + other.valueLength);
  }

  int compareKey(StoredKv other) {
    return Arrays.compareUnsigned(
        record, keyAt, keyAt + keyLength, other.record, other.keyAt, other.keyAt + other.keyLength);
  }

  /// The same with an empty value.
  byte[] withoutValue() {
    return encode(keyArray(), createRevision, modRevision, version, NONE, lease);
  }

  /// The record of a put.
  public static byte[] encode(
      byte[] key, long createRevision, long modRevision, long version, byte[] value, long lease) {
    int size =
        bytesSize(1, key.length) + numberSize(2, createRevision) + numberSize(3, modRevision) + numberSize(4, version)
            + bytesSize(5, value.length) + numberSize(6, lease);
    byte[] record = new byte[size];
    int at = writeBytes(record, 0, KEY, key);
    at = writeInt64(record, at, CREATE, createRevision);
    at = writeInt64(record, at, MOD, modRevision);
    at = writeInt64(record, at, VERSION, version);
    at = writeBytes(record, at, VALUE, value);
    at = writeInt64(record, at, LEASE, lease);
    Invariant.check(at == size, "a key value's size was computed wrong");
    return record;
  }

  /// The record of a put as the index knows it: without value and lease.
  static byte[] describe(byte[] key, long createRevision, long modRevision, long version) {
    return encode(key, createRevision, modRevision, version, NONE, 0);
  }

  /// The record of a deletion.
  static byte[] encodeTombstone(byte[] key) {
    return encode(key, 0, 0, 0, NONE, 0);
  }

  /// What watchers are sent of a deletion: the key, and the revision that deleted it.
  static byte[] encodeDeleted(byte[] key, long modRevision) {
    return encode(key, 0, modRevision, 0, NONE, 0);
  }

  /// The key of a record, as [#decode] finds it: the last, should it be there twice.
  static byte[] keyOf(byte[] record) {
    ProtoReader in = new ProtoReader(record);
    byte[] key = NONE;
    try {
      for (int field = in.next(); field != 0; field = in.next()) {
        if (field == 1) {
          key = in.bytes();
        } else {
          in.skip();
        }
      }
      return key;
    } catch (WireFormatException e) {
      throw malformed(e);
    }
  }

  private static int writeBytes(byte[] target, int at, int tag, byte[] value) {
    if (value.length == 0) {
      return at;
    }
    target[at] = (byte) tag;
    int next = ProtoWriter.putVarint(target, at + 1, value.length);
    System.arraycopy(value, 0, target, next, value.length);
    return next + value.length;
  }

  private static int writeInt64(byte[] target, int at, int tag, long value) {
    if (value == 0) {
      return at;
    }
    target[at] = (byte) tag;
    return ProtoWriter.putVarint(target, at + 1, value);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof StoredKv that && Arrays.equals(record, that.record);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(record);
  }

  @Override
  public String toString() {
    return new String(keyArray(), StandardCharsets.UTF_8)
        + " created " + createRevision + " mod " + modRevision + " version " + version + " lease " + lease
        + ", " + valueLength + " bytes";
  }
}
