package dev.kvorum.fuzz;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.HardState;
import dev.kvorum.state.Request;
import dev.kvorum.state.RequestCodec;
import dev.kvorum.state.RequestHeader;
import dev.kvorum.wal.Wal;
import dev.kvorum.wal.WalMetadata;
import dev.kvorum.wal.WalOptions;
import dev.kvorum.wal.WalSnapshot;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;

/// Small valid logs, and the format a second time, so that what the reader says of a log can be judged by something
/// that is not the reader.
final class WalFiles {
  static final Path DIRECTORY = Path.of("/fuzz/wal");
  static final WalOptions OPTIONS = new WalOptions(4096, 4096, true);

  static final int METADATA = 1;
  static final int ENTRY = 2;
  static final int STATE = 3;
  static final int CRC = 4;
  static final int SNAPSHOT = 5;

  private WalFiles() {}

  /// One segment, by name.
  record File(String name, byte[] bytes) {}

  /// One record, as it lies in a segment.
  record Record(int type, byte[] data) {}

  /// Logs of one to four segments: the plainest, with rewritten entries, with snapshots recorded, with large entries.
  static List<List<File>> all() throws IOException {
    List<List<File>> logs = new ArrayList<>();
    logs.add(log(1, 6, 40, false, 0));
    logs.add(log(2, 40, 300, false, 0));
    logs.add(log(3, 40, 200, true, 0));
    logs.add(log(4, 60, 250, true, 20));
    logs.add(log(5, 12, 3000, false, 5));
    return logs;
  }

  private static List<File> log(int seed, int entries, int bytesMax, boolean rewrites, int snapshotAt)
      throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    MemoryDisk disk = new MemoryDisk();
    long term = 1;
    long index = 0;
    long commit = 0;
    try (Wal wal = Wal.create(disk, DIRECTORY, new WalMetadata(0x1234, 0x5678), OPTIONS)) {
      for (int i = 0; i < entries; i++) {
        if (rewrites && i % 10 == 9) {
          term++;
          index -= 2;
        }
        List<Entry> batch = new ArrayList<>();
        for (int k = random.nextInt(3); k >= 0; k--) {
          batch.add(entry(random, term, ++index, bytesMax));
        }
        commit = Math.max(commit, index - 3);
        wal.append(new HardState(term, 1, commit), batch);
        wal.sync();
        if (i == snapshotAt && snapshotAt > 0) {
          wal.saveSnapshot(new WalSnapshot(commit, term, ConfState.of(List.of(1L, 2L, 3L), List.of(4L))));
        }
      }
    }
    return files(disk);
  }

  private static Entry entry(SplittableRandom random, long term, long index, int bytesMax) {
    if (index == 1) {
      return new Entry(EntryType.CONF_CHANGE, term, index, Bytes.wrap(new byte[] {0x10, 0, 0x18, 1}));
    }
    if (random.nextInt(8) == 0) {
      return Entry.normal(term, index, Bytes.EMPTY);
    }
    byte[] value = new byte[random.nextInt(bytesMax)];
    random.nextBytes(value);
    Request put = new Request.Put(
        key(random), Bytes.wrap(value), random.nextInt(3), false, false, false);
    return Entry.normal(term, index, Bytes.wrap(RequestCodec.encode(RequestHeader.of(index), put)));
  }

  private static Bytes key(SplittableRandom random) {
    return Bytes.utf8("key" + random.nextInt(10));
  }

  static List<File> files(MemoryDisk disk) throws IOException {
    List<File> files = new ArrayList<>();
    for (String name : disk.list(DIRECTORY)) {
      if (name.endsWith(".wal")) {
        files.add(new File(name, disk.get(DIRECTORY.resolve(name))));
      }
    }
    return files;
  }

  static MemoryDisk disk(List<File> files) {
    MemoryDisk disk = new MemoryDisk();
    disk.createDirectories(DIRECTORY);
    files.forEach(file -> disk.put(DIRECTORY.resolve(file.name), file.bytes.clone()));
    return disk;
  }

  static String name(long sequence, long index) {
    return String.format("%016x-%016x.wal", sequence, index);
  }

  /// All records of a whole log, in order.
  static List<Record> records(List<File> files) {
    List<Record> records = new ArrayList<>();
    for (File file : files) {
      ByteBuffer in = ByteBuffer.wrap(file.bytes).order(ByteOrder.LITTLE_ENDIAN);
      while (in.remaining() >= 8 && in.getLong(in.position()) != 0) {
        int length = (int) in.getLong();
        records.add(record(Arrays.copyOfRange(file.bytes, in.position(), in.position() + length)));
        in.position(in.position() + (length + 7) / 8 * 8);
      }
    }
    return records;
  }

  private static Record record(byte[] bytes) {
    Input in = new Input(bytes);
    int type = 0;
    byte[] data = {};
    while (!in.atEnd()) {
      switch (in.u8()) {
        case 0x08 -> type = (int) varint(in);
        case 0x10 -> varint(in);
        default -> data = in.bytes((int) varint(in));
      }
    }
    return new Record(type, data);
  }

  private static long varint(Input in) {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      int b = in.u8();
      value |= (long) (b & 0x7F) << shift;
      if (b < 0x80) {
        break;
      }
    }
    return value;
  }

  /// Frames records as a log does, summed in a chain.
  static final class Framer {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private int crc;

    /// @param data as it is, whatever it says
    /// @param crcError exclusive-or'd to the sum
    /// @param padError exclusive-or'd to the length field
    void frame(int type, byte[] data, int crcError, long padError) {
      if (type != CRC) {
        crc = rolled(crc, data);
      }
      ByteArrayOutputStream record = new ByteArrayOutputStream();
      record.write(0x08);
      varint(record, type);
      record.write(0x10);
      varint(record, (crc ^ crcError) & 0xFFFF_FFFFL);
      if (type != CRC) {
        record.write(0x1A);
        varint(record, data.length);
        record.writeBytes(data);
      }
      int length = record.size();
      int padding = -length & 7;
      long field = (padding == 0 ? length : length | (0x80L | padding) << 56) ^ padError;
      out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(field).array());
      out.writeBytes(record.toByteArray());
      out.writeBytes(new byte[padding]);
    }

    int size() {
      return out.size();
    }

    /// Ends a segment. @return it; the sum goes on in the next
    byte[] cut() {
      byte[] segment = out.toByteArray();
      out.reset();
      return segment;
    }

    private static void varint(ByteArrayOutputStream out, long value) {
      for (; (value & ~0x7FL) != 0; value >>>= 7) {
        out.write((int) value & 0x7F | 0x80);
      }
      out.write((int) value);
    }
  }

  /// CRC-32C of what gave `before`, followed by `data`: by the sum's linearity, shifting `before` over as many zeros.
  private static int rolled(int before, byte[] data) {
    CRC32C crc = new CRC32C();
    crc.update(data, 0, data.length);
    int shifted = before;
    for (int i = 0; i < data.length; i++) {
      for (int bit = 0; bit < 8; bit++) {
        shifted = (shifted & 1) != 0 ? shifted >>> 1 ^ 0x82F63B78 : shifted >>> 1;
      }
    }
    return (int) crc.getValue() ^ shifted;
  }
}
