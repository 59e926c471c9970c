package dev.kvorum.wal;

import java.util.zip.CRC32C;

/// CRC-32C running over a whole log, which can be set to a known value.
///
/// The JDK's [CRC32C] is the fast one (an intrinsic) but starts only at zero. Four bytes take it from there to any
/// value whatever, because shifting 32 bits through the register is invertible; [#seed] feeds it those four.
final class RollingCrc {
  /// The Castagnoli polynomial, bits reflected.
  private static final int POLYNOMIAL = 0x82F63B78;

  private final CRC32C crc = new CRC32C();
  private final byte[] seed = new byte[4];

  int value() {
    return (int) crc.getValue();
  }

  void update(byte[] bytes, int offset, int length) {
    crc.update(bytes, offset, length);
  }

  /// Goes on from `value`, as if what led to it had been read.
  void seed(int value) {
    crc.reset();
    if (value == 0) {
      return;
    }
    int register = ~value;
    for (int bit = 0; bit < 32; bit++) {
      register = register < 0 ? (register ^ POLYNOMIAL) << 1 | 1 : register << 1;
    }
    register = ~register;
    for (int i = 0; i < 4; i++) {
      seed[i] = (byte) (register >>> 8 * i);
    }
    crc.update(seed, 0, 4);
  }
}
