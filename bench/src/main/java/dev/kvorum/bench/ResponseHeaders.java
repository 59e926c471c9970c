package dev.kvorum.bench;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.IOException;
import java.util.Arrays;

/// Reads the header blocks of one connection's responses, of which only the gRPC status matters.
///
/// A server that answers the same thing again sends the same bytes again: a block made of table references alone
/// changes no table, so once decoded it is recognised by comparing bytes.
final class ResponseHeaders {
  /// A block without `grpc-status`, as the ones that open a response are.
  static final int NO_STATUS = -1;

  private static final int RECENT = 4;

  private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(false, 1 << 20);
  private final byte[][] recent = new byte[RECENT][];
  private final int[] recentStatus = new int[RECENT];
  private int nextRecent;
  private String text = "";

  /// The gRPC status in a block, or [#NO_STATUS].
  int status(int streamId, byte[] buffer, int offset, int length) throws IOException {
    for (int i = 0; i < RECENT; i++) {
      byte[] block = recent[i];
      if (block != null && Arrays.equals(block, 0, block.length, buffer, offset, offset + length)) {
        return recentStatus[i];
      }
    }
    int status = decode(streamId, buffer, offset, length);
    if (!isReferencesOnly(buffer, offset, length)) {
      Arrays.fill(recent, null);
    } else if (status <= 0) {
      recent[nextRecent] = Arrays.copyOfRange(buffer, offset, offset + length);
      recentStatus[nextRecent] = status;
      nextRecent = (nextRecent + 1) % RECENT;
    }
    return status;
  }

  /// The `grpc-message` that came with the last status other than 0.
  String text() {
    return text;
  }

  private int decode(int streamId, byte[] buffer, int offset, int length) throws IOException {
    try {
      Http2Headers headers = decoder.decodeHeaders(streamId, Unpooled.wrappedBuffer(buffer, offset, length));
      CharSequence status = headers.get("grpc-status");
      if (status == null) {
        CharSequence http = headers.status();
        if (http != null && !"200".contentEquals(http)) {
          throw new IOException("the server answered with HTTP status " + http);
        }
        return NO_STATUS;
      }
      CharSequence message = headers.get("grpc-message");
      text = message == null ? "" : message.toString();
      return Integer.parseInt(status.toString());
    } catch (Http2Exception e) {
      throw new IOException("the server's header block does not decode", e);
    }
  }

  /// Only one-byte indexed fields (RFC 7541 §6.1): such a block leaves the table as it is.
  private static boolean isReferencesOnly(byte[] buffer, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      int octet = buffer[i] & 0xff;
      if (octet < 0x80 || octet == 0xff) {
        return false;
      }
    }
    return true;
  }
}
