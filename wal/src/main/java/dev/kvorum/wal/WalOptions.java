package dev.kvorum.wal;

import dev.kvorum.env.Invariant;

/// How a log is written; nothing here changes what readers understand.
///
/// @param segmentBytes a segment this long is followed by a new one (it may exceed this by one batch)
/// @param bufferBytes records gathered in memory before a write is forced
/// @param unsafeNoSync skips every sync (`--unsafe-no-fsync`): a power loss then loses acknowledged writes
public record WalOptions(long segmentBytes, int bufferBytes, boolean unsafeNoSync) {
  /// etcd's segment size: 64 million bytes, not 64 MiB.
  public static final WalOptions DEFAULT = new WalOptions(64_000_000, 1 << 20, false);

  public WalOptions {
    Invariant.check(segmentBytes >= 4096 && segmentBytes % 8 == 0, "segments hold whole frames");
    Invariant.check(bufferBytes >= 4096, "the buffer holds at least a page");
  }

  public WalOptions withUnsafeNoSync(boolean value) {
    return new WalOptions(segmentBytes, bufferBytes, value);
  }
}
