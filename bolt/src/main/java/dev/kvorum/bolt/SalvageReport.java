package dev.kvorum.bolt;

import java.util.List;

/// What [Salvage] saved, and what it could not.
///
/// @param txid of the state that was read
/// @param buckets saved, nested ones included
/// @param keys saved, those of `strayKeys` included
/// @param strayKeys found on pages that nothing points to; may be out of date, or deleted since
/// @param losses what could not be read, in file order of discovery; at most [#LOSSES_MAX]
/// @param lossesMore how many more there were
public record SalvageReport(
    long txid, long buckets, long keys, long strayKeys, List<Loss> losses, long lossesMore) {
  /// Losses beyond these are counted only.
  public static final int LOSSES_MAX = 1000;

  /// Something that could not be read.
  ///
  /// @param offset in the source file, bytes
  /// @param what is wrong there, and what is missing for it
  public record Loss(long offset, String what) {}

  /// Whether all was saved, and none of it doubtful.
  public boolean isComplete() {
    return losses.isEmpty() && strayKeys == 0;
  }
}
