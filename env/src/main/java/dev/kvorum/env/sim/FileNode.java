package dev.kvorum.env.sim;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A file: what it holds now, what it held when last synced, and the changes between in their order.
final class FileNode implements Node {
  static final int SECTOR_BYTES = 512;

  /// Unsynced bytes beyond which the oldest are written back, as a kernel does.
  private static final long UNSYNCED_BYTES_MAX = 64 << 20;

  /// One unsynced change.
  ///
  /// @param data what was written; null for zeros, written or cut off
  /// @param sizeAfter the file's length after it; negative when a later, synced one has made up for it
  /// @param cut whether it is a truncation, whose zeros belong to the length
  /// @param lost whether a failed sync has dropped it: later syncs pass it by
  record Change(
      long operation,
      long position,
      long length,
      byte @Nullable [] data,
      long sizeBefore,
      long sizeAfter,
      boolean cut,
      boolean lost) {
    long end() {
      return position + length;
    }

    boolean isWrite() {
      return length > 0 && !cut;
    }

    void apply(Content content) {
      if (data != null) {
        content.write(position, data, 0, data.length);
      } else {
        content.zero(position, length);
      }
      if (sizeAfter >= 0) {
        content.size = sizeAfter;
      }
    }

    Change asLost() {
      return new Change(operation, position, length, data, sizeBefore, sizeAfter, cut, true);
    }
  }

  private final int id;
  final Content live;
  Content durable;
  final List<Change> unsynced = new ArrayList<>();
  private long unsyncedBytes;
  private boolean lossy;

  /// Bytes of space taken; at least what is stored.
  long reservedTo;

  /// Views that show what is written; none in copies and replays.
  final List<SimMapping> mappings = new ArrayList<>(0);

  /// Syncs that failed, of whatever opening.
  int failedSyncs;

  /// Openings, and maps that outlive theirs.
  int holders;

  @Nullable Object recordLockHolder;
  @Nullable Object exclusiveFlockHolder;
  int sharedFlocks;

  FileNode(int id) {
    this(id, new Content());
  }

  FileNode(int id, Content content) {
    this.id = id;
    live = content;
    durable = content.copy();
    reservedTo = content.storedEnd();
  }

  /// Forgets all who opened it.
  void unlock() {
    mappings.clear();
    holders = 0;
    recordLockHolder = null;
    exclusiveFlockHolder = null;
    sharedFlocks = 0;
  }

  /// As this is now, without its openings.
  FileNode copy() {
    FileNode copy = new FileNode(id, live.copy());
    copy.durable = durable.copy();
    copy.unsynced.addAll(unsynced);
    copy.unsyncedBytes = unsyncedBytes;
    copy.lossy = lossy;
    copy.reservedTo = reservedTo;
    return copy;
  }

  @Override
  public int id() {
    return id;
  }

  /// @param data null for `length` zeros
  void write(long operation, long position, byte @Nullable [] data, long length) {
    long size = Math.max(live.size, position + length);
    reservedTo = Math.max(reservedTo, position + length);
    change(new Change(operation, position, length, data, live.size, size, false, false));
  }

  void resize(long operation, long size) {
    long cutOff = Math.max(0, live.size - size);
    if (cutOff > 0) {
      reservedTo = size;
    }
    change(new Change(operation, size, cutOff, null, live.size, size, cutOff > 0, false));
  }

  void allocate(long operation, long size) {
    reservedTo = Math.max(reservedTo, size);
    if (size > live.size) {
      change(new Change(operation, live.size, 0, null, live.size, size, false, false));
    }
  }

  private void change(Change change) {
    change.apply(live);
    unsynced.add(change);
    unsyncedBytes += change.data == null ? 0 : change.data.length;
    for (int i = 0; i < mappings.size(); i++) {
      mappings.get(i).show(live, change);
    }
    if (unsyncedBytes > UNSYNCED_BYTES_MAX) {
      writeBack();
    }
  }

  private void writeBack() {
    int n = 0;
    while (unsyncedBytes > UNSYNCED_BYTES_MAX / 2) {
      Change oldest = unsynced.get(n++);
      unsyncedBytes -= oldest.data == null ? 0 : oldest.data.length;
      oldest.apply(durable);
    }
    unsynced.subList(0, n).clear();
  }

  void sync() {
    if (lossy) {
      syncAllButTheLost();
      return;
    }
    for (Change change : unsynced) {
      durable.share(live, change.position, change.end());
    }
    durable.size = live.size;
    forgetUnsynced();
  }

  private void forgetUnsynced() {
    unsynced.clear();
    unsyncedBytes = 0;
    lossy = false;
  }

  /// What is unsynced now is clean in the kernel's eyes: whether it is on the disk is chance, for good.
  void failSync() {
    failedSyncs++;
    unsynced.replaceAll(Change::asLost);
    lossy = !unsynced.isEmpty();
  }

  /// Sectors written again since the failure are durable, as they are now; the others stay in doubt, and so does the
  /// length, unless it was changed since, or the file written up to its end.
  private void syncAllButTheLost() {
    Content now = live.copy();
    byte[] sector = new byte[SECTOR_BYTES];
    List<Change> doubtful = new ArrayList<>();
    boolean resized = false;
    for (Change change : unsynced) {
      if (change.lost) {
        doubtful.add(change);
      } else {
        resized |= change.sizeAfter != change.sizeBefore || change.isWrite() && change.end() == live.size;
      }
    }
    for (Change change : unsynced) {
      if (!change.lost) {
        settle(doubtful, change);
        for (long at = change.position / SECTOR_BYTES * SECTOR_BYTES; at < change.end(); at += SECTOR_BYTES) {
          now.read(at, sector, 0, SECTOR_BYTES);
          durable.write(at, sector, 0, SECTOR_BYTES);
        }
      }
    }
    if (resized) {
      durable.size = live.size;
      doubtful.replaceAll(FileNode::withoutLength);
    }
    unsynced.clear();
    unsynced.addAll(doubtful);
    lossy = !doubtful.isEmpty();
  }

  private static Change withoutLength(Change change) {
    return new Change(
        change.operation, change.position, change.length, change.data, -1, -1, change.cut, true);
  }

  /// Takes the sectors of `rewritten` out of what is in doubt.
  private static void settle(List<Change> doubtful, Change rewritten) {
    long from = rewritten.position / SECTOR_BYTES * SECTOR_BYTES;
    long to = (rewritten.end() + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES;
    for (int i = doubtful.size() - 1; i >= 0; i--) {
      Change change = doubtful.get(i);
      if (change.length == 0 || change.end() <= from || change.position >= to) {
        continue;
      }
      doubtful.remove(i);
      if (change.end() > to) {
        doubtful.add(i, part(change, to, change.end()));
      }
      doubtful.add(i, part(change, Math.min(change.position, from), Math.min(change.end(), from)));
    }
  }

  private static Change part(Change change, long from, long to) {
    from = Math.max(from, change.position);
    byte @Nullable [] data = change.data == null || to <= from
        ? null
        : java.util.Arrays.copyOfRange(
            change.data, (int) (from - change.position), (int) (to - change.position));
    return new Change(
        change.operation, from, Math.max(0, to - from), data, change.sizeBefore, change.sizeAfter, change.cut, true);
  }

  /// Flips bits where the disk stores them, and in what is cached of them.
  void rot(long offset, int mask) {
    byte[] one = new byte[1];
    for (Content content : List.of(durable, live)) {
      content.read(offset, one, 0, 1);
      one[0] ^= (byte) mask;
      content.write(offset, one, 0, 1);
    }
    Change shown = new Change(0, offset, 1, null, live.size, live.size, false, false);
    mappings.forEach(mapping -> mapping.show(live, shown));
  }
}
