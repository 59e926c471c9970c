package dev.kvorum.bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import dev.kvorum.api.etcdserverpb.Compare;
import dev.kvorum.api.etcdserverpb.DeleteRangeRequest;
import dev.kvorum.api.etcdserverpb.PutRequest;
import dev.kvorum.api.etcdserverpb.RangeRequest;
import dev.kvorum.api.etcdserverpb.RequestOp;
import dev.kvorum.api.etcdserverpb.TxnRequest;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.function.UnaryOperator;

/// A request encoded once, with its length prefix; before each send the key and the time stamp at the
/// head of its value are overwritten in place. Owner: the [LoadLoop] that sends it.
final class Template {
  static final String PUT = "/etcdserverpb.KV/Put";
  static final String RANGE = "/etcdserverpb.KV/Range";
  static final String TXN = "/etcdserverpb.KV/Txn";
  static final String DELETE_RANGE = "/etcdserverpb.KV/DeleteRange";

  /// The stamp is nanoseconds of the client's clock, big-endian.
  static final int STAMP_BYTES = 8;

  /// The number of the key that stands for a range's end until that is chosen.
  private static final int END_MARK = 123_456_789;

  private static final byte[] STAMP_MARK = "\0stamp!\0".getBytes(StandardCharsets.US_ASCII);

  private final String path;
  private final byte[] frame;
  private final Keys keys;
  private final int[] keysAt;
  private final int[] endsAt;
  private final int stampAt;

  private Template(String path, Keys keys, MessageLite request) {
    this.path = path;
    this.keys = keys;
    this.frame = framed(request.toByteArray());
    this.keysAt = positions(frame, keys.key(0).toByteArray());
    this.endsAt = positions(frame, keys.key(END_MARK).toByteArray());
    int[] stamps = positions(frame, STAMP_MARK);
    this.stampAt = stamps.length == 0 ? -1 : stamps[0];
  }

  static Template put(int valueBytes) {
    return put(Keys.PLAIN, valueBytes);
  }

  static Template put(Keys keys, int valueBytes) {
    return new Template(PUT, keys, putRequest(keys, valueBytes));
  }

  /// Compares the key's version in a way that always holds, then puts it.
  static Template txn(int valueBytes) {
    return new Template(
        TXN,
        Keys.PLAIN,
        TxnRequest.newBuilder()
            .addCompare(
                Compare.newBuilder()
                    .setKey(key(0))
                    .setTarget(Compare.CompareTarget.VERSION)
                    .setResult(Compare.CompareResult.GREATER)
                    .setVersion(-1))
            .addSuccess(RequestOp.newBuilder().setRequestPut(putRequest(Keys.PLAIN, valueBytes)))
            .addFailure(RequestOp.newBuilder().setRequestRange(RangeRequest.newBuilder().setKey(key(0))))
            .build());
  }

  static Template range(boolean serializable) {
    return new Template(
        RANGE, Keys.PLAIN, RangeRequest.newBuilder().setKey(key(0)).setSerializable(serializable).build());
  }

  /// The first `count` keys in one answer.
  static Template rangeMany(int count, boolean serializable) {
    RangeRequest request =
        RangeRequest.newBuilder().setKey(key(0)).setRangeEnd(key(count)).setSerializable(serializable).build();
    return new Template(RANGE, Keys.PLAIN, request);
  }

  /// The keys between two, which [#setSpan] chooses.
  static Template span(Keys keys) {
    return new Template(
        RANGE, keys, RangeRequest.newBuilder().setKey(keys.key(0)).setRangeEnd(keys.key(END_MARK)).build());
  }

  /// Deletes the keys between two, which [#setSpan] chooses.
  static Template deleteSpan(Keys keys) {
    return new Template(
        DELETE_RANGE,
        keys,
        DeleteRangeRequest.newBuilder().setKey(keys.key(0)).setRangeEnd(keys.key(END_MARK)).build());
  }

  /// A fixed request about all keys.
  static Template all(Keys keys, UnaryOperator<RangeRequest.Builder> shape) {
    RangeRequest.Builder request = RangeRequest.newBuilder().setKey(keys.first()).setRangeEnd(keys.end());
    return new Template(RANGE, keys, shape.apply(request).build());
  }

  static ByteString key(int index) {
    return Keys.PLAIN.key(index);
  }

  /// `message` behind gRPC's prefix: not compressed, and its length.
  static byte[] framed(byte[] message) {
    byte[] framed = new byte[5 + message.length];
    framed[1] = (byte) (message.length >> 24);
    framed[2] = (byte) (message.length >> 16);
    framed[3] = (byte) (message.length >> 8);
    framed[4] = (byte) message.length;
    System.arraycopy(message, 0, framed, 5, message.length);
    return framed;
  }

  private static PutRequest putRequest(Keys keys, int valueBytes) {
    byte[] value = new byte[valueBytes];
    new Random(valueBytes).nextBytes(value);
    System.arraycopy(STAMP_MARK, 0, value, 0, STAMP_BYTES);
    return PutRequest.newBuilder().setKey(keys.key(0)).setValue(ByteString.copyFrom(value)).build();
  }

  private static int[] positions(byte[] bytes, byte[] mark) {
    int[] found = new int[4];
    int count = 0;
    for (int at = 0; at + mark.length <= bytes.length; at++) {
      if (Arrays.equals(bytes, at, at + mark.length, mark, 0, mark.length)) {
        found[count++] = at;
      }
    }
    return Arrays.copyOf(found, count);
  }

  String path() {
    return path;
  }

  byte[] frame() {
    return frame;
  }

  /// Makes this a request for key number `index` (0 to 10^9).
  void setKey(int index) {
    for (int at : keysAt) {
      keys.write(index, frame, at);
    }
  }

  /// Makes this a request for the keys from number `first` up to, not including, number `end`.
  void setSpan(int first, int end) {
    setKey(first);
    for (int at : endsAt) {
      keys.write(end, frame, at);
    }
  }

  /// Puts the time into the value, if the request has one; makes each value a new one, too.
  void setStamp(long nanos) {
    if (stampAt >= 0) {
      for (int i = 0; i < STAMP_BYTES; i++) {
        frame[stampAt + i] = (byte) (nanos >> (56 - 8 * i));
      }
    }
  }

  /// The time that [#setStamp] put at the beginning of a value, which lies at `at`.
  static long readStamp(byte[] array, int at) {
    long nanos = 0;
    for (int i = 0; i < STAMP_BYTES; i++) {
      nanos = nanos << 8 | array[at + i] & 0xff;
    }
    return nanos;
  }
}
