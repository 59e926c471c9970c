package dev.kvorum.bench;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/// Encodes the headers of gRPC calls on one connection, as a long-lived client does: every header is sent in full once,
/// entered into HPACK's dynamic table, and is one byte from then on (RFC 7541 §6.1, §6.2.1).
final class RequestHeaders {
  private static final int STATIC_ENTRIES = 61;
  private static final int METHOD_POST = 3;
  private static final int SCHEME_HTTP = 6;

  private final String authority;
  private final Map<String, Integer> insertions = new HashMap<>();
  private final Map<String, byte[]> blocks = new HashMap<>();
  private boolean announceEmptyTable;
  private boolean indexing = true;

  RequestHeaders(String authority) {
    this.authority = authority;
  }

  /// The server allows no dynamic table of the usual size: send every header in full from now on.
  void stopIndexing() {
    indexing = false;
    announceEmptyTable = true;
    blocks.clear();
  }

  /// The header block of a call to `path`, such as `/etcdserverpb.KV/Put`. To be sent at once and in order: the
  /// server's table follows.
  byte[] block(String path) {
    byte[] cached = blocks.get(path);
    if (cached != null) {
      return cached;
    }
    int before = insertions.size();
    boolean plain = !announceEmptyTable;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    if (announceEmptyTable) {
      out.write(0x20);
      announceEmptyTable = false;
    }
    out.write(0x80 | METHOD_POST);
    out.write(0x80 | SCHEME_HTTP);
    header(out, ":path", path);
    header(out, ":authority", authority);
    header(out, "content-type", "application/grpc");
    header(out, "user-agent", "kvorum-bench");
    header(out, "te", "trailers");
    header(out, "client-api-version", "3.7");
    byte[] block = out.toByteArray();
    if (insertions.size() != before) {
      // Every insertion moves the entries before it.
      blocks.clear();
    } else if (plain) {
      blocks.put(path, block);
    }
    return block;
  }

  private void header(ByteArrayOutputStream out, String name, String value) {
    Integer insertion = insertions.get(name + "=" + value);
    if (insertion != null) {
      integer(out, 0x80, 7, STATIC_ENTRIES + insertions.size() - insertion);
      return;
    }
    out.write(indexing ? 0x40 : 0x00);
    string(out, name);
    string(out, value);
    if (indexing) {
      insertions.put(name + "=" + value, insertions.size());
    }
  }

  private static void string(ByteArrayOutputStream out, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    integer(out, 0, 7, bytes.length);
    out.writeBytes(bytes);
  }

  private static void integer(ByteArrayOutputStream out, int flags, int prefixBits, int value) {
    int limit = (1 << prefixBits) - 1;
    if (value < limit) {
      out.write(flags | value);
      return;
    }
    out.write(flags | limit);
    int rest = value - limit;
    while (rest >= 0x80) {
      out.write(rest & 0x7f | 0x80);
      rest >>>= 7;
    }
    out.write(rest);
  }
}
