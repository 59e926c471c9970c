package dev.kvorum.member;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.etcdserverpb.RangeResponse;
import dev.kvorum.state.Request;
import dev.kvorum.state.keys.KvView;
import dev.kvorum.state.keys.RangeResult;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Reads a range from a view and encodes its answer; stored key values go out as the bytes they are.
final class RangeResponses {
  private RangeResponses() {}

  /// @param bytesMax the most its records may take
  /// @return null when they take more
  static @Nullable Encoded encode(KvView view, Request.Range request, Headers headers, long bytesMax)
      throws IOException {
    RangeResult result = view.rangeWithin(request.keys(), request.options(), bytesMax);
    if (result == null) {
      return null;
    }
    ProtoWriter out = new ProtoWriter(capacity(result.kvs()));
    headers.write(out, RangeResponse.HEADER_FIELD_NUMBER, result.revision());
    write(out, result);
    return out.finish();
  }

  /// What follows the header.
  static void write(ProtoWriter out, RangeResult result) {
    for (byte[] kv : result.kvs()) {
      out.splice(RangeResponse.KVS_FIELD_NUMBER, kv);
    }
    out.flag(RangeResponse.MORE_FIELD_NUMBER, result.more());
    out.number(RangeResponse.COUNT_FIELD_NUMBER, result.count());
  }

  /// Room for the answer, but for what will be spliced by reference.
  static int capacity(byte[][] kvs) {
    long size = 64;
    for (byte[] kv : kvs) {
      size += 8 + (kv.length < ProtoWriter.SPLICE_BYTES_MIN ? kv.length : 0);
    }
    return (int) Math.min(size, 64 << 20);
  }
}
