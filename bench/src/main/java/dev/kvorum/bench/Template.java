package dev.kvorum.bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import dev.kvorum.api.etcdserverpb.Compare;
import dev.kvorum.api.etcdserverpb.PutRequest;
import dev.kvorum.api.etcdserverpb.RangeRequest;
import dev.kvorum.api.etcdserverpb.RequestOp;
import dev.kvorum.api.etcdserverpb.TxnRequest;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;

/// A request encoded once, with its length prefix; before each send the digits of its key and the time stamp at the
/// head of its value are overwritten in place. Owner: the [LoadLoop] that sends it.
final class Template {
  static final String PUT = "/etcdserverpb.KV/Put";
  static final String RANGE = "/etcdserverpb.KV/Range";
  static final String TXN = "/etcdserverpb.KV/Txn";

  /// The stamp is nanoseconds of the client's clock, big-endian.
  static final int STAMP_BYTES = 8;

  private static final int KEY_DIGITS = 12;
  private static final byte[] KEY_MARK = "key-".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] STAMP_MARK = "\0stamp!\0".getBytes(StandardCharsets.US_ASCII);

  private final String path;
  private final byte[] frame;
  private final int[] digitsAt;
  private final int stampAt;

  private Template(String path, MessageLite request) {
    this.path = path;
    this.frame = framed(request.toByteArray());
    this.digitsAt = positions(frame, KEY_MARK);
    int[] stamps = positions(frame, STAMP_MARK);
    this.stampAt = stamps.length == 0 ? -1 : stamps[0];
  }

  static Template put(int valueBytes) {
    return new Template(PUT, putRequest(valueBytes));
  }

  /// Compares the key's version in a way that always holds, then puts it.
  static Template txn(int valueBytes) {
    return new Template(
        TXN,
        TxnRequest.newBuilder()
            .addCompare(
                Compare.newBuilder()
                    .setKey(key(0))
                    .setTarget(Compare.CompareTarget.VERSION)
                    .setResult(Compare.CompareResult.GREATER)
                    .setVersion(-1))
            .addSuccess(RequestOp.newBuilder().setRequestPut(putRequest(valueBytes)))
            .addFailure(RequestOp.newBuilder().setRequestRange(RangeRequest.newBuilder().setKey(key(0))))
            .build());
  }

  static Template range(boolean serializable) {
    return new Template(RANGE, RangeRequest.newBuilder().setKey(key(0)).setSerializable(serializable).build());
  }

  /// The first `count` keys in one answer.
  static Template rangeMany(int count, boolean serializable) {
    RangeRequest request =
        RangeRequest.newBuilder().setKey(key(0)).setRangeEnd(key(count)).setSerializable(serializable).build();
    return new Template(RANGE, request);
  }

  static ByteString key(int index) {
    return ByteString.copyFromUtf8("key-" + String.format("%0" + KEY_DIGITS + "d", index));
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

  private static PutRequest putRequest(int valueBytes) {
    byte[] value = new byte[valueBytes];
    new Random(valueBytes).nextBytes(value);
    System.arraycopy(STAMP_MARK, 0, value, 0, STAMP_BYTES);
    return PutRequest.newBuilder().setKey(key(0)).setValue(ByteString.copyFrom(value)).build();
  }

  private static int[] positions(byte[] bytes, byte[] mark) {
    int[] found = new int[4];
    int count = 0;
    for (int at = 0; at + mark.length <= bytes.length; at++) {
      if (Arrays.equals(bytes, at, at + mark.length, mark, 0, mark.length)) {
        found[count++] = at + (mark == KEY_MARK ? mark.length : 0);
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
    for (int at : digitsAt) {
      int rest = index;
      for (int i = at + KEY_DIGITS - 1; i >= at; i--) {
        frame[i] = (byte) ('0' + rest % 10);
        rest /= 10;
      }
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
