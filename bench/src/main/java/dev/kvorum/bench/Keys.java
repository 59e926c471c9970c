package dev.kvorum.bench;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;

/// How numbered keys are called. A key is its number's digits at fixed places in a fixed text, so that it can be
/// written over another one in place.
enum Keys {
  /// `key-000000000042`: number order is key order.
  PLAIN("key-000000000000", 0, 4),

  /// `/registry/pods/ns-42/pod-000000000`, 34 bytes: neighbours in number lie in different namespaces, as the keys of
  /// a cluster's objects do in the order of their creation. Keys of one namespace are in number order.
  REGISTRY("/registry/pods/ns-00/pod-000000000", 18, 25);

  /// How many namespaces there are in [#REGISTRY].
  static final int NAMESPACES = 100;

  private final byte[] text;
  private final int namespaceAt;
  private final int digitsAt;

  /// `namespaceAt` is where two digits of the namespace are, 0 if there are none; from `digitsAt` on all are digits.
  Keys(String text, int namespaceAt, int digitsAt) {
    this.text = text.getBytes(StandardCharsets.US_ASCII);
    this.namespaceAt = namespaceAt;
    this.digitsAt = digitsAt;
  }

  /// Key number `index`, 0 to 10^9.
  ByteString key(int index) {
    byte[] key = text.clone();
    write(index, key, 0);
    return ByteString.copyFrom(key);
  }

  /// Writes the digits of key number `index` over those of the key that lies at `at`.
  void write(int index, byte[] into, int at) {
    int rest = index;
    if (namespaceAt > 0) {
      digits(rest % NAMESPACES, into, at + namespaceAt, at + namespaceAt + 2);
      rest /= NAMESPACES;
    }
    digits(rest, into, at + digitsAt, at + text.length);
  }

  private static void digits(int number, byte[] into, int from, int to) {
    int rest = number;
    for (int i = to - 1; i >= from; i--) {
      into[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
  }

  /// Not after any key.
  ByteString first() {
    return ByteString.copyFrom(text, 0, namespaceAt > 0 ? namespaceAt : digitsAt);
  }

  /// Behind every key: as range end with [#first], all keys.
  ByteString end() {
    byte[] end = first().toByteArray();
    end[end.length - 1]++;
    return ByteString.copyFrom(end);
  }
}
