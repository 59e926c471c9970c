package dev.kvorum.state.keys;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.Invariant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The keys of several runs in order, each once, with its revisions of all runs.
final class RunMerge implements KeyIndexLoader.Source {
  private final IndexView.Walk[] walks;

  /// The key each run stands on; null past its end.
  private final byte @Nullable [][] heads;

  private byte[] key = new byte[0];
  private @Nullable KeyEntry entry;

  /// @param runs in order of revision, at most 32
  RunMerge(RevisionRun[] runs) {
    walks = new IndexView.Walk[runs.length];
    heads = new byte[runs.length][];
    for (int i = 0; i < runs.length; i++) {
      walks[i] = runs[i].index().peek().walk(KeyRange.from(Bytes.EMPTY));
      advance(i);
    }
  }

  private void advance(int run) {
    heads[run] = walks[run].next() ? walks[run].key() : null;
  }

  @Override
  public boolean next() {
    byte[] least = null;
    int holders = 0;
    for (int run = 0; run < heads.length; run++) {
      byte[] head = heads[run];
      int order = head == null ? 1 : least == null ? -1 : Arrays.compareUnsigned(head, least);
      if (order < 0) {
        least = head;
        holders = 1 << run;
      } else if (order == 0) {
        holders |= 1 << run;
      }
    }
    if (least == null) {
      return false;
    }
    key = least;
    entry = null;
    for (int left = holders; left != 0; left &= left - 1) {
      int run = Integer.numberOfTrailingZeros(left);
      KeyEntry found = walks[run].entry();
      entry = entry == null ? found : entry.followedBy(found);
      advance(run);
    }
    return true;
  }

  @Override
  public byte[] key() {
    return key;
  }

  @Override
  public KeyEntry entry() {
    if (entry == null) {
      throw Invariant.unreachable("a merge is asked for a key before its first");
    }
    return entry;
  }
}
