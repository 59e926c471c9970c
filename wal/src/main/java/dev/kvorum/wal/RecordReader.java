package dev.kvorum.wal;

import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.DiskFile;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/// Reads records one by one through consecutive segments and believes none whose checksum does not continue the chain.
///
/// What does not read may be *torn* — the last segment's tail, never acknowledged, written in part when power failed —
/// or *corrupt*. A disk writes sectors of 512 bytes whole or not at all, and what lies ahead of the tail is zero. So a
/// record that fails its checksum is torn if one of its sectors is all zeros, or if the file ends inside it; otherwise
/// it once was whole, and losing it silently would lose acknowledged writes. Frames begin on 8-byte boundaries: their
/// length field never spans two sectors and is never half written.
final class RecordReader {
  /// What [#next] found.
  enum Outcome {
    RECORD,
    /// The clean end of the last segment.
    END,
    /// The last segment goes on behind [#validOffset] with a record that was never whole.
    TORN
  }

  private static final int SECTOR_BYTES = 512;
  private static final int HEAD_BYTES = 8;
  private static final int HEAD_RECORDS = 2;

  /// Three tags, a type, a checksum and a length.
  private static final int RECORD_HEAD_BYTES_MAX = 24;

  private static final int NO_RECORD = -1;
  private static final int WINDOW_BYTES = 256 << 10;

  /// No batch of ours or etcd's comes near; beyond it an array could not hold the record.
  private static final long RECORD_BYTES_MAX = Integer.MAX_VALUE - 64;

  private final List<DiskFile> files;
  private final RollingCrc crc = new RollingCrc();
  private int current;
  private long fileSize;
  private long validOffset;
  private int validCrc;

  private byte[] window;
  private long windowStart;
  private int windowLength;

  private long longestFrame;
  private int recordsInSegment;
  private long recordOffset;
  private int type;
  private int recordCrc;
  private int dataStart;
  private int dataEnd;

  RecordReader(List<DiskFile> files) throws IOException {
    this.files = files;
    fileSize = files.getFirst().size();
    window = new byte[(int) Math.clamp(fileSize, HEAD_BYTES, WINDOW_BYTES)];
  }

  int type() {
    return type;
  }

  /// The record's data; valid until the next call of [#next].
  ProtoReader data() {
    return new ProtoReader(window, dataStart, dataEnd);
  }

  byte[] copyOfData() {
    return Arrays.copyOfRange(window, dataStart, dataEnd);
  }

  /// Where in its segment the current record begins.
  long recordOffset() {
    return recordOffset;
  }

  /// Where in the current segment the last valid record ends.
  long validOffset() {
    return validOffset;
  }

  /// Bytes of the longest valid record so far, with its frame.
  long longestFrame() {
    return longestFrame;
  }

  /// The running checksum at [#validOffset]: where a writer goes on.
  int crc() {
    return validCrc;
  }

  /// Whether the current record is the first of its segment, the second, and so on: from 0.
  int recordInSegment() {
    return recordsInSegment - 1;
  }

  DiskFile file() {
    return files.get(current);
  }

  CorruptionException corrupt(String what) {
    return new CorruptionException(file().path(), recordOffset, what);
  }

  Outcome next() throws IOException {
    while (true) {
      recordOffset = validOffset;
      long left = fileSize - recordOffset;
      if (left > 0 && left < HEAD_BYTES) {
        return torn("wal: segment ends inside a length field");
      }
      long lengthField = left == 0 ? 0 : lengthField();
      if (lengthField != 0) {
        return record(lengthField, left - HEAD_BYTES);
      }
      if (isLastSegment()) {
        requireNoRecordBehind(left);
        requireHead();
        return Outcome.END;
      }
      requireHead();
      current++;
      fileSize = file().size();
      validOffset = 0;
      recordsInSegment = 0;
      windowLength = 0;
    }
  }

  /// A length field is never half written: one of zero with the head of a record behind it was damaged later, and that
  /// record may have been acknowledged. Anything else behind the end was never read as a record, and is overwritten.
  private void requireNoRecordBehind(long left) throws IOException {
    if (left > HEAD_BYTES && toldLength(left - HEAD_BYTES) != NO_RECORD) {
      throw corrupt("wal: a record's length field is zero");
    }
  }

  /// A segment gets its name when its head, a checksum and the metadata, is durable. One without was damaged later.
  private void requireHead() throws CorruptionException {
    if (recordsInSegment < HEAD_RECORDS) {
      throw corrupt("wal: segment without its head");
    }
  }

  private boolean isLastSegment() {
    return current == files.size() - 1;
  }

  private long lengthField() throws IOException {
    int at = load(recordOffset, HEAD_BYTES);
    long value = 0;
    for (int i = HEAD_BYTES - 1; i >= 0; i--) {
      value = value << 8 | window[at + i] & 0xFF;
    }
    return value;
  }

  private Outcome record(long lengthField, long available) throws IOException {
    long length = lengthField & (1L << 56) - 1;
    int padding = (int) (8 - length % 8) % 8;
    int top = (int) (lengthField >>> 56);
    if (length == 0 || length > RECORD_BYTES_MAX || top != (padding == 0 ? 0 : 0x80 | padding)) {
      throw corrupt("wal: impossible record length field 0x" + SegmentName.hex(lengthField));
    }
    if (length + padding > available) {
      requireAgreedLength((int) length, available);
      return torn("wal: segment ends inside a record of " + length + " bytes");
    }
    int start = load(recordOffset + HEAD_BYTES, (int) length + padding);
    if (!parse(start, start + (int) length)) {
      return tornIfSectorIsZero(start, (int) length, padding, "wal: malformed record");
    }
    if (type == RecordType.CRC) {
      followChain();
    } else {
      crc.update(window, dataStart, dataEnd - dataStart);
      if (crc.value() != recordCrc) {
        return tornIfSectorIsZero(start, (int) length, padding, "walpb: crc mismatch");
      }
    }
    validOffset = recordOffset + HEAD_BYTES + length + padding;
    validCrc = crc.value();
    recordsInSegment++;
    longestFrame = Math.max(longestFrame, validOffset - recordOffset);
    return Outcome.RECORD;
  }

  /// A crc record repeats the checksum so far, so that reading may begin at any segment.
  private void followChain() throws CorruptionException {
    int soFar = crc.value();
    if (soFar != 0 && soFar != recordCrc) {
      throw corrupt("walpb: crc mismatch");
    }
    crc.seed(recordCrc);
  }

  private boolean parse(int start, int end) {
    type = 0;
    recordCrc = 0;
    dataStart = start;
    dataEnd = start;
    ProtoReader in = new ProtoReader(window, start, end);
    try {
      for (int field = in.next(); field != 0; field = in.next()) {
        switch (field) {
          case 1 -> type = (int) Math.clamp(in.number(), -1, Integer.MAX_VALUE);
          case 2 -> recordCrc = in.enumNumber();
          case 3 -> {
            int outer = in.enter();
            dataStart = in.position();
            dataEnd = in.limit();
            in.leave(outer);
          }
          default -> in.skip();
        }
      }
      return true;
    } catch (WireFormatException notARecord) {
      return false;
    }
  }

  /// For a record that may be torn: if what there is of it tells another length than its frame, then the frame's length
  /// was damaged later, and what follows may have been acknowledged.
  private void requireAgreedLength(int length, long available) throws IOException {
    long told = toldLength(available);
    if (told > 0 && told != length) {
      throw corrupt("wal: record length field disagrees with its record");
    }
  }

  /// The length that the bytes behind the length field tell of the record they begin; 0 if they begin one and do not
  /// tell, [#NO_RECORD] if they begin none. Only what lies in the length field's own sector counts: it was written with
  /// it.
  private long toldLength(long available) throws IOException {
    long sectorLeft = SECTOR_BYTES - HEAD_BYTES - recordOffset % SECTOR_BYTES;
    int headMax = (int) Math.min(Math.min(available, sectorLeft), RECORD_HEAD_BYTES_MAX);
    int at = load(recordOffset + HEAD_BYTES, headMax);
    int end = at + headMax;
    int[] position = {at};
    if (!skipVarintField(position, end, 0x08) || !skipVarintField(position, end, 0x10)) {
      return NO_RECORD;
    }
    if (position[0] == end || window[position[0]] != 0x1a) {
      return 0;
    }
    position[0]++;
    long dataLength = varint(position, end);
    return dataLength < 0 ? 0 : position[0] - at + dataLength;
  }

  private boolean skipVarintField(int[] position, int end, int tag) {
    if (position[0] >= end || window[position[0]] != tag) {
      return false;
    }
    position[0]++;
    return varint(position, end) >= 0;
  }

  /// A varint of at most 63 bits, or -1.
  private long varint(int[] position, int end) {
    long value = 0;
    for (int shift = 0; shift < 63 && position[0] < end; shift += 7) {
      byte b = window[position[0]++];
      value |= (long) (b & 0x7F) << shift;
      if (b >= 0) {
        return value;
      }
    }
    return -1;
  }

  private Outcome tornIfSectorIsZero(int start, int length, int padding, String what) throws IOException {
    int inSector = (int) ((recordOffset + HEAD_BYTES) % SECTOR_BYTES);
    int end = start + length + padding;
    for (int from = start, to = start + SECTOR_BYTES - inSector; from < end; from = to, to += SECTOR_BYTES) {
      if (isZero(from, Math.min(to, end))) {
        requireAgreedLength(length, length);
        return torn(what);
      }
    }
    throw corrupt(what);
  }

  private boolean isZero(int from, int to) {
    for (int i = from; i < to; i++) {
      if (window[i] != 0) {
        return false;
      }
    }
    return true;
  }

  private Outcome torn(String what) throws CorruptionException {
    if (!isLastSegment()) {
      throw corrupt(what);
    }
    requireHead();
    return Outcome.TORN;
  }

  /// Has `length` bytes at `offset` of the current file in the window. @return where
  private int load(long offset, int length) throws IOException {
    if (offset < windowStart || offset + length > windowStart + windowLength) {
      if (window.length < length) {
        window = new byte[length];
      }
      windowStart = offset;
      windowLength = 0;
      ByteBuffer target = ByteBuffer.wrap(window);
      while (windowLength < length) {
        int n = file().read(target, offset + windowLength);
        if (n < 0) {
          throw new EOFException(file().path() + " shrank while it was read");
        }
        windowLength += n;
      }
    }
    return (int) (offset - windowStart);
  }
}
