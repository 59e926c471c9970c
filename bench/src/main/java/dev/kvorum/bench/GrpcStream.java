package dev.kvorum.bench;

import dev.kvorum.api.WireFormatException;
import java.util.Arrays;

/// One call as its caller sees it: whole messages come in, then the end.
///
/// A stream object may be used again for the next call once [#onEnd] was called, so a closed loop allocates nothing.
/// Owner: the [LoadLoop] of its connection.
abstract class GrpcStream {
  /// Set by the connection when the call is opened.
  int id;

  /// What the server still lets us send on this stream, in bytes.
  long sendWindow;

  /// What arrived and was not yet given back to the server as window, in bytes.
  int unreturnedBytes;

  private final boolean collects;
  private final byte[] prefix = new byte[5];
  private int prefixBytes;
  private int messageLeft;
  private byte[] message = new byte[0];
  private int messageBytes;

  /// `collects` says whether messages are wanted whole; otherwise [#onPiece] shows what they are made of, once.
  GrpcStream(boolean collects) {
    this.collects = collects;
  }

  /// A message has begun that is `length` bytes long.
  void onBegin(int length) {}

  /// The next bytes of a message that is not collected, cut anywhere.
  void onPiece(byte[] data, int offset, int length) {}

  /// A whole message: the first `length` bytes of `message`, valid during this call. Empty for streams that do not
  /// collect.
  abstract void onMessage(byte[] message, int length) throws WireFormatException;

  /// The call is over. `status` is the gRPC status number, `text` its message.
  abstract void onEnd(int status, String text);

  final void begin(int id, long sendWindow) {
    this.id = id;
    this.sendWindow = sendWindow;
    unreturnedBytes = 0;
    prefixBytes = 0;
    messageLeft = 0;
    messageBytes = 0;
  }

  /// Takes the next piece of the response body, cut anywhere.
  final void onData(byte[] data, int offset, int length) {
    int at = offset;
    int end = offset + length;
    while (at < end) {
      if (prefixBytes < 5) {
        prefix[prefixBytes++] = data[at++];
        if (prefixBytes == 5) {
          beginMessage();
        }
        continue;
      }
      int count = Math.min(end - at, messageLeft);
      if (collects) {
        System.arraycopy(data, at, message, messageBytes, count);
        messageBytes += count;
      } else if (count > 0) {
        onPiece(data, at, count);
      }
      at += count;
      messageLeft -= count;
      endMessageIfWhole();
    }
  }

  private void beginMessage() {
    messageLeft = (prefix[1] & 0xff) << 24 | (prefix[2] & 0xff) << 16 | (prefix[3] & 0xff) << 8 | prefix[4] & 0xff;
    messageBytes = 0;
    onBegin(messageLeft);
    if (collects && message.length < messageLeft) {
      message = Arrays.copyOf(message, Math.max(messageLeft, message.length * 2));
    }
    endMessageIfWhole();
  }

  private void endMessageIfWhole() {
    if (messageLeft == 0) {
      prefixBytes = 0;
      try {
        onMessage(message, messageBytes);
      } catch (WireFormatException e) {
        throw new IllegalStateException("the server answered with bytes that are no message", e);
      }
    }
  }
}
