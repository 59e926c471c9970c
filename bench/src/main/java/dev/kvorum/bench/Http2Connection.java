package dev.kvorum.bench;

import io.netty.util.collection.IntObjectHashMap;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;

/// An HTTP/2 connection (RFC 9113) that can do what a gRPC client needs and nothing else: any number of calls at a
/// time, flow control both ways, settings, pings. Cleartext, prior knowledge.
///
/// Written for a small client share of the processor: frames are parsed in the loop's one read buffer, requests are
/// copied into one write buffer per connection and written once per loop turn, responses are not decoded. Owner: its
/// [LoadLoop].
final class Http2Connection {
  static final int FRAME_HEAD_BYTES = 9;
  /// The largest frame either side may send unless told otherwise; we never tell.
  static final int FRAME_BYTES_MAX = 16_384;

  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int RST_STREAM = 3;
  private static final int SETTINGS = 4;
  private static final int PING = 6;
  private static final int GOAWAY = 7;
  private static final int WINDOW_UPDATE = 8;
  private static final int CONTINUATION = 9;

  private static final int END_STREAM = 0x1;
  private static final int ACK = 0x1;
  private static final int END_HEADERS = 0x4;
  private static final int PADDED = 0x8;
  private static final int PRIORITY = 0x20;

  private static final int SETTINGS_HEADER_TABLE_SIZE = 1;
  private static final int SETTINGS_ENABLE_PUSH = 2;
  private static final int SETTINGS_INITIAL_WINDOW_SIZE = 4;
  private static final int HEADER_TABLE_BYTES = 4_096;
  private static final int INITIAL_WINDOW_BYTES = 65_535;
  /// As large as a Go client's windows grow.
  static final int USUAL_WINDOW_BYTES = 16 << 20;
  private static final int UNAVAILABLE = 14;
  private static final byte[] NOTHING = new byte[0];
  private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  /// Message bytes that the server's windows do not let out yet.
  private record Unsent(GrpcStream stream, byte[] bytes, boolean last) {}

  private final SocketChannel channel;
  private final SelectionKey key;
  private final int windowBytes;
  private final RequestHeaders requestHeaders;
  private final ResponseHeaders responseHeaders = new ResponseHeaders();
  private final IntObjectHashMap<GrpcStream> streams = new IntObjectHashMap<>();
  private final ArrayDeque<Unsent> unsent = new ArrayDeque<>();
  private int unsentOffset;
  private int nextStreamId = 1;
  private long sendWindow = INITIAL_WINDOW_BYTES;
  private long streamSendWindow = INITIAL_WINDOW_BYTES;
  private int unreturnedBytes;

  private byte[] out = new byte[4_096];
  private int outFrom;
  private int outTo;
  private byte[] partial = NOTHING;
  private byte[] headerBlock = NOTHING;
  private boolean headersEndStream;
  private boolean lost;

  /// `windowBytes` is what the server may send ahead of us, per call and in all.
  Http2Connection(InetSocketAddress address, Selector selector, int windowBytes) throws IOException {
    this.windowBytes = windowBytes;
    channel = SocketChannel.open(address);
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    channel.configureBlocking(false);
    key = channel.register(selector, SelectionKey.OP_READ, this);
    requestHeaders = new RequestHeaders(address.getHostString() + ":" + address.getPort());
    putBytes(PREFACE, 0, PREFACE.length);
    frame(12, SETTINGS, 0, 0);
    putShort(SETTINGS_ENABLE_PUSH);
    putInt(0);
    putShort(SETTINGS_INITIAL_WINDOW_SIZE);
    putInt(windowBytes);
    windowUpdate(0, windowBytes - INITIAL_WINDOW_BYTES);
    flush();
  }

  /// Begins a call.
  void open(GrpcStream stream, String path) {
    stream.begin(nextStreamId, streamSendWindow);
    nextStreamId += 2;
    streams.put(stream.id, stream);
    byte[] block = requestHeaders.block(path);
    frame(block.length, HEADERS, END_HEADERS, stream.id);
    putBytes(block, 0, block.length);
  }

  /// Sends one message, its five-byte prefix included; `last` ends our side of the call.
  void send(GrpcStream stream, byte[] message, int length, boolean last) {
    if (unsent.isEmpty() && length <= Math.min(FRAME_BYTES_MAX, Math.min(sendWindow, stream.sendWindow))) {
      dataFrame(stream, message, 0, length, last);
    } else {
      unsent.add(new Unsent(stream, Arrays.copyOf(message, length), last));
      sendUnsent();
    }
  }

  /// Ends a call from our side without waiting for the server; [GrpcStream#onEnd] is not called.
  void cancel(GrpcStream stream) {
    if (streams.remove(stream.id) != null) {
      frame(4, RST_STREAM, 0, stream.id);
      putInt(8);
    }
  }

  /// Writes what was put together since the last time, as far as the socket takes it.
  void flush() throws IOException {
    if (outFrom < outTo) {
      outFrom += channel.write(ByteBuffer.wrap(out, outFrom, outTo - outFrom));
      if (outFrom == outTo) {
        outFrom = 0;
        outTo = 0;
      }
    }
    int interest = outFrom < outTo ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_READ;
    if (key.interestOps() != interest) {
      key.interestOps(interest);
    }
  }

  /// Reads what the socket has, by way of `buffer`, and calls the streams.
  void read(ByteBuffer buffer) throws IOException {
    buffer.clear();
    buffer.put(partial);
    int count = channel.read(buffer);
    if (count < 0) {
      throw new EOFException("the server closed the connection with " + streams.size() + " calls open");
    }
    if (count == 0) {
      return;
    }
    byte[] bytes = buffer.array();
    int end = buffer.position();
    int at = 0;
    while (end - at >= FRAME_HEAD_BYTES) {
      int length = (bytes[at] & 0xff) << 16 | (bytes[at + 1] & 0xff) << 8 | bytes[at + 2] & 0xff;
      if (length > FRAME_BYTES_MAX) {
        throw new IOException("a frame of " + length + " bytes");
      }
      int next = at + FRAME_HEAD_BYTES + length;
      if (next > end) {
        break;
      }
      onFrame(bytes[at + 3], bytes[at + 4], intAt(bytes, at + 5) & 0x7fffffff, bytes, at + FRAME_HEAD_BYTES, length);
      at = next;
    }
    partial = at == end ? NOTHING : Arrays.copyOfRange(bytes, at, end);
  }

  void close() throws IOException {
    key.cancel();
    channel.close();
  }

  /// Closes, and ends every open call as UNAVAILABLE.
  void lose(IOException reason) throws IOException {
    lost = true;
    close();
    List<GrpcStream> open = List.copyOf(streams.values());
    streams.clear();
    open.forEach(stream -> stream.onEnd(UNAVAILABLE, "connection lost: " + reason.getMessage()));
  }

  boolean isLost() {
    return lost;
  }

  private void onFrame(int type, int flags, int streamId, byte[] bytes, int offset, int length) throws IOException {
    switch (type) {
      case DATA -> onData(flags, streamId, bytes, offset, length);
      case HEADERS -> onHeaders(flags, streamId, bytes, offset, length);
      case CONTINUATION -> onContinuation(flags, streamId, bytes, offset, length);
      case RST_STREAM -> onReset(streamId, intAt(bytes, offset));
      case SETTINGS -> onSettings(flags, bytes, offset, length);
      case PING -> onPing(flags, bytes, offset);
      case GOAWAY -> throw new IOException("the server sent GOAWAY, error " + intAt(bytes, offset + 4));
      case WINDOW_UPDATE -> onWindowUpdate(streamId, intAt(bytes, offset) & 0x7fffffff);
      default -> {
        // Unknown frames are ignored (RFC 9113 §4.1).
      }
    }
  }

  private void onData(int flags, int streamId, byte[] bytes, int offset, int length) {
    unreturnedBytes += length;
    if (unreturnedBytes > windowBytes / 2) {
      windowUpdate(0, unreturnedBytes);
      unreturnedBytes = 0;
    }
    GrpcStream stream = streams.get(streamId);
    if (stream == null) {
      return;
    }
    int padding = (flags & PADDED) != 0 ? bytes[offset] & 0xff : 0;
    int head = (flags & PADDED) != 0 ? 1 : 0;
    stream.onData(bytes, offset + head, length - head - padding);
    stream.unreturnedBytes += length;
    if (stream.unreturnedBytes > windowBytes / 2) {
      windowUpdate(streamId, stream.unreturnedBytes);
      stream.unreturnedBytes = 0;
    }
    if ((flags & END_STREAM) != 0) {
      end(streamId, 2, "the call ended without a status");
    }
  }

  private void onHeaders(int flags, int streamId, byte[] bytes, int offset, int length) throws IOException {
    int padding = (flags & PADDED) != 0 ? bytes[offset] & 0xff : 0;
    int head = ((flags & PADDED) != 0 ? 1 : 0) + ((flags & PRIORITY) != 0 ? 5 : 0);
    headersEndStream = (flags & END_STREAM) != 0;
    if ((flags & END_HEADERS) != 0) {
      onHeaderBlock(streamId, bytes, offset + head, length - head - padding);
    } else {
      headerBlock = Arrays.copyOfRange(bytes, offset + head, offset + length - padding);
    }
  }

  private void onContinuation(int flags, int streamId, byte[] bytes, int offset, int length) throws IOException {
    int before = headerBlock.length;
    headerBlock = Arrays.copyOf(headerBlock, before + length);
    System.arraycopy(bytes, offset, headerBlock, before, length);
    if ((flags & END_HEADERS) != 0) {
      onHeaderBlock(streamId, headerBlock, 0, headerBlock.length);
    }
  }

  private void onHeaderBlock(int streamId, byte[] bytes, int offset, int length) throws IOException {
    int status = responseHeaders.status(streamId, bytes, offset, length);
    if (!headersEndStream) {
      return;
    }
    if (status == ResponseHeaders.NO_STATUS) {
      end(streamId, 2, "the call ended without a status");
    } else {
      end(streamId, status, status == 0 ? "" : responseHeaders.text());
    }
  }

  private void end(int streamId, int status, String text) {
    GrpcStream stream = streams.remove(streamId);
    if (stream != null) {
      stream.onEnd(status, text);
    }
  }

  private void onReset(int streamId, int error) {
    // grpc servers reset with NO_ERROR after their trailers when our side is still open; those calls are gone already.
    end(streamId, 13, "the server reset the stream, error " + error);
  }

  private void onSettings(int flags, byte[] bytes, int offset, int length) {
    if ((flags & ACK) != 0) {
      return;
    }
    for (int at = offset; at + 6 <= offset + length; at += 6) {
      int id = (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
      int value = intAt(bytes, at + 2);
      if (id == SETTINGS_INITIAL_WINDOW_SIZE) {
        long grown = value - streamSendWindow;
        streamSendWindow = value;
        streams.values().forEach(stream -> stream.sendWindow += grown);
      } else if (id == SETTINGS_HEADER_TABLE_SIZE && value < HEADER_TABLE_BYTES) {
        requestHeaders.stopIndexing();
      }
    }
    frame(0, SETTINGS, ACK, 0);
    sendUnsent();
  }

  private void onPing(int flags, byte[] bytes, int offset) {
    if ((flags & ACK) == 0) {
      frame(8, PING, ACK, 0);
      putBytes(bytes, offset, 8);
    }
  }

  private void onWindowUpdate(int streamId, int increment) {
    if (streamId == 0) {
      sendWindow += increment;
    } else {
      GrpcStream stream = streams.get(streamId);
      if (stream != null) {
        stream.sendWindow += increment;
      }
    }
    sendUnsent();
  }

  /// First come, first served: a stream without window holds up those behind it, which is fine for equal clients.
  private void sendUnsent() {
    while (!unsent.isEmpty()) {
      Unsent first = unsent.getFirst();
      if (streams.get(first.stream().id) != first.stream()) {
        unsent.removeFirst();
        unsentOffset = 0;
        continue;
      }
      int left = first.bytes().length - unsentOffset;
      int count = (int) Math.min(Math.min(left, FRAME_BYTES_MAX), Math.min(sendWindow, first.stream().sendWindow));
      if (count <= 0) {
        return;
      }
      dataFrame(first.stream(), first.bytes(), unsentOffset, count, first.last() && count == left);
      unsentOffset += count;
      if (count == left) {
        unsent.removeFirst();
        unsentOffset = 0;
      }
    }
  }

  private void dataFrame(GrpcStream stream, byte[] bytes, int offset, int length, boolean last) {
    sendWindow -= length;
    stream.sendWindow -= length;
    frame(length, DATA, last ? END_STREAM : 0, stream.id);
    putBytes(bytes, offset, length);
  }

  private void windowUpdate(int streamId, int increment) {
    frame(4, WINDOW_UPDATE, 0, streamId);
    putInt(increment);
  }

  private void frame(int length, int type, int flags, int streamId) {
    reserve(FRAME_HEAD_BYTES);
    out[outTo++] = (byte) (length >> 16);
    out[outTo++] = (byte) (length >> 8);
    out[outTo++] = (byte) length;
    out[outTo++] = (byte) type;
    out[outTo++] = (byte) flags;
    putInt(streamId);
  }

  private void putShort(int value) {
    reserve(2);
    out[outTo++] = (byte) (value >> 8);
    out[outTo++] = (byte) value;
  }

  private void putInt(int value) {
    reserve(4);
    out[outTo++] = (byte) (value >> 24);
    out[outTo++] = (byte) (value >> 16);
    out[outTo++] = (byte) (value >> 8);
    out[outTo++] = (byte) value;
  }

  private void putBytes(byte[] bytes, int offset, int length) {
    reserve(length);
    System.arraycopy(bytes, offset, out, outTo, length);
    outTo += length;
  }

  private void reserve(int more) {
    if (out.length - outTo < more) {
      int waiting = outTo - outFrom;
      byte[] target = waiting + more <= out.length / 2 ? out : new byte[Math.max(out.length * 2, waiting + more)];
      System.arraycopy(out, outFrom, target, 0, waiting);
      out = target;
      outFrom = 0;
      outTo = waiting;
    }
  }

  private static int intAt(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 24 | (bytes[at + 1] & 0xff) << 16 | (bytes[at + 2] & 0xff) << 8 | bytes[at + 3] & 0xff;
  }
}
