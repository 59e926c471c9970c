package dev.kvorum.wal;

import dev.kvorum.env.Disk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// `<sequence>-<index>.wal`: the how-manieth segment, and the index of the first entry it may hold.
///
/// @param sequence consecutive, from 0
/// @param index unsigned; all entries below it are in earlier segments, unless they were overridden
record SegmentName(long sequence, long index) {
  private static final String SUFFIX = ".wal";
  private static final int LENGTH = 16 + 1 + 16 + SUFFIX.length();

  String file() {
    return hex(sequence) + "-" + hex(index) + SUFFIX;
  }

  static String hex(long value) {
    String digits = Long.toHexString(value);
    return "0".repeat(16 - digits.length()) + digits;
  }

  /// Null when `file` is no segment's name; directories hold spares (`.tmp`) and repair copies (`.broken`) too.
  static @Nullable SegmentName parse(String file) {
    if (file.length() != LENGTH || file.charAt(16) != '-' || !file.endsWith(SUFFIX)) {
      return null;
    }
    try {
      long sequence = Long.parseUnsignedLong(file, 0, 16, 16);
      long index = Long.parseUnsignedLong(file, 17, 33, 16);
      SegmentName name = new SegmentName(sequence, index);
      return name.file().equals(file) ? name : null;
    } catch (NumberFormatException notHexadecimal) {
      return null;
    }
  }

  /// All segments in `directory`, oldest first.
  static List<SegmentName> list(Disk disk, Path directory) throws IOException {
    List<SegmentName> names = new ArrayList<>();
    for (String file : disk.list(directory)) {
      SegmentName name = parse(file);
      if (name != null) {
        names.add(name);
      }
    }
    return names;
  }

  /// Something that reads segments, the oldest first.
  interface Reading<T> {
    T of(List<SegmentName> segments) throws IOException;
  }

  /// Reads the segments that hold what follows a snapshot at `index`: from the last one on that begins at or before it.
  ///
  /// The snapshot's mark may lie in a segment before: where a crash kept a snapshot from being installed, the log goes on
  /// from where it was, may be cut there, and come to commit what the mark says after all. So reading begins earlier when
  /// it does not find it.
  static <T> T read(List<SegmentName> all, long index, Reading<T> reading) throws IOException {
    for (int first = firstFor(all, index); ; first--) {
      List<SegmentName> selected = all.subList(first, all.size());
      requireConsecutive(selected);
      try {
        return reading.of(selected);
      } catch (WalException e) {
        if (e.reason() != WalException.Reason.SNAPSHOT_NOT_FOUND || first == 0) {
          throw e;
        }
      }
    }
  }

  private static int firstFor(List<SegmentName> all, long index) throws WalException {
    int first = all.size() - 1;
    while (first >= 0 && Long.compareUnsigned(all.get(first).index, index) > 0) {
      first--;
    }
    if (first < 0) {
      throw new WalException(
          WalException.Reason.FILE_NOT_FOUND,
          "wal: file not found which matches the snapshot index '" + Long.toUnsignedString(index) + "'");
    }
    return first;
  }

  private static void requireConsecutive(List<SegmentName> segments) throws WalException {
    long start = segments.getFirst().sequence;
    for (int i = 0; i < segments.size(); i++) {
      if (segments.get(i).sequence != start + i) {
        throw new WalException(
            WalException.Reason.SEQUENCE_GAP,
            "wal: file sequence numbers (starting from " + Long.toUnsignedString(start)
                + ") do not increase continuously");
      }
    }
  }
}
