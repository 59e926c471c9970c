package dev.kvorum.wal;

import dev.kvorum.api.ProtoWriter;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.DiskFile;
import dev.kvorum.raft.Entry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Frames records into one direct buffer, and the buffer into a file. Owned by [Wal].
///
/// A record's checksum comes before its data and has no fixed size, so an entry is summed first, in place, and copied
/// once, straight into the buffer that the kernel reads.
final class SegmentWriter {
  /// Room for a frame's and a record's head: 8 + (1+1) + (1+5) + (1+5) bytes, and an entry's: 2 + 11 + 11 + 6.
  private static final int HEADS_BYTES_MAX = 64;

  private static final int PAGE_BYTES = 4096;
  private static final int SECTOR_BYTES = 512;

  /// Hears of each write before it happens.
  interface BeforeWrite {
    /// The file will be written up to `end`.
    void accept(long end);
  }

  private final ByteBuffer buffer;
  private final BeforeWrite beforeWrite;
  private final RollingCrc crc = new RollingCrc();
  private final byte[] scratch = new byte[HEADS_BYTES_MAX];
  private DiskFile file;
  private long bufferOffset;
  private long writtenBytes;

  /// Goes on at `offset` of `file` from the running checksum `crc`.
  SegmentWriter(DiskFile file, long offset, int crc, int bufferBytes, BeforeWrite beforeWrite) {
    this.file = file;
    this.bufferOffset = offset;
    this.crc.seed(crc);
    this.beforeWrite = beforeWrite;
    buffer = ByteBuffer.allocateDirect(bufferBytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /// Goes on at the start of another file; the checksum continues.
  void moveTo(DiskFile next) {
    file = next;
    bufferOffset = 0;
    buffer.clear();
  }

  /// Where the next frame begins, whether written out or not.
  long offset() {
    return bufferOffset + buffer.position();
  }

  int crc() {
    return crc.value();
  }

  long writtenBytes() {
    return writtenBytes;
  }

  void crcRecord() throws IOException {
    int value = crc.value();
    int length = 2 + 1 + ProtoWriter.varintSize(value & 0xFFFF_FFFFL);
    frameHead(RecordType.CRC, value, length);
    pad(length);
  }

  void record(int type, byte[] data) throws IOException {
    crc.update(data, 0, data.length);
    int length = dataHead(type, data.length);
    put(data);
    pad(length);
  }

  void entry(Entry entry) throws IOException {
    Bytes data = entry.data();
    int head = RaftCodec.putHead(entry, scratch, 0);
    crc.update(scratch, 0, head);
    crc.update(data.array(), 0, data.size());
    int length = dataHead(RecordType.ENTRY, Math.addExact(head, data.size()));
    buffer.put(scratch, 0, head);
    put(data.array());
    pad(length);
  }

  /// All heads up to a record's data. @return the record's length
  private int dataHead(int type, int dataLength) throws IOException {
    int value = crc.value();
    int length = Math.addExact(
        2 + 1 + ProtoWriter.varintSize(value & 0xFFFF_FFFFL) + 1 + ProtoWriter.varintSize(dataLength), dataLength);
    frameHead(type, value, length);
    buffer.put((byte) 0x1a);
    putVarint(dataLength);
    return length;
  }

  private void frameHead(int type, int crcValue, int length) throws IOException {
    if (buffer.remaining() < HEADS_BYTES_MAX) {
      makeRoom();
    }
    int padding = -length & 7;
    buffer.putLong(padding == 0 ? length : length | (0x80L | padding) << 56);
    buffer.put((byte) 0x08).put((byte) type).put((byte) 0x10);
    putVarint(crcValue & 0xFFFF_FFFFL);
  }

  private void putVarint(long value) {
    while ((value & ~0x7FL) != 0) {
      buffer.put((byte) (value | 0x80));
      value >>>= 7;
    }
    buffer.put((byte) value);
  }

  private void put(byte[] data) throws IOException {
    int from = 0;
    while (data.length - from > buffer.remaining()) {
      int fits = buffer.remaining();
      buffer.put(data, from, fits);
      from += fits;
      makeRoom();
    }
    buffer.put(data, from, data.length - from);
  }

  private void pad(int length) throws IOException {
    int padding = -length & 7;
    if (buffer.remaining() < padding) {
      makeRoom();
    }
    for (int i = 0; i < padding; i++) {
      buffer.put((byte) 0);
    }
  }

  /// Hands what was gathered to the kernel, with one write.
  void flush() throws IOException {
    write(buffer.position());
  }

  /// Hands whole pages to the kernel, ahead of a sync, or whole sectors where those make no room. Were a sector written
  /// in two parts, the first part might reach the disk alone: a record cut inside a sector does not look torn but
  /// rotten, and the log would be refused.
  private void makeRoom() throws IOException {
    long end = offset();
    long pages = end / PAGE_BYTES * PAGE_BYTES - bufferOffset;
    write((int) (pages >= HEADS_BYTES_MAX ? pages : end / SECTOR_BYTES * SECTOR_BYTES - bufferOffset));
  }

  private void write(int length) throws IOException {
    if (length == 0) {
      return;
    }
    beforeWrite.accept(bufferOffset + length);
    int gathered = buffer.position();
    file.write(buffer.flip().limit(length), bufferOffset);
    buffer.limit(gathered).compact();
    bufferOffset += length;
    writtenBytes += length;
  }
}
