package dev.kvorum.fuzz;

import dev.kvorum.wal.RaftCodec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The log's readers.
final class WalTargets {
  private WalTargets() {}

  /// A whole log and what a disk may do to it. What is still accepted must be what was once written, and complete
  /// unless the last segment was hit.
  static final class Damaged implements Target {
    private static final int SECTOR_BYTES = 512;

    /// Too few to make up a record and its sum.
    private static final int EDITS_MAX = 3;

    private final List<List<WalFiles.File>> logs;
    private final List<List<WalContent>> contents = new ArrayList<>();

    Damaged() {
      try {
        logs = WalFiles.all();
        for (List<WalFiles.File> log : logs) {
          contents.add(WalContent.after(WalFiles.records(log)));
        }
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public int inputBytesMax() {
      return 40;
    }

    @Override
    public List<byte[]> seeds() {
      List<byte[]> seeds = new ArrayList<>();
      for (int log = 0; log < logs.size(); log++) {
        seeds.add(new byte[] {(byte) log});
        for (int operation = 0; operation < 9; operation++) {
          seeds.add(new byte[] {(byte) log, (byte) operation, 1, 0, (byte) 200, 1, 2, 3, 4, 5, 6});
        }
      }
      return seeds;
    }

    @Override
    public void run(byte[] input) throws IOException {
      Input in = new Input(input);
      int log = in.u8() % logs.size();
      List<WalFiles.File> files = new ArrayList<>();
      logs.get(log).forEach(file -> files.add(new WalFiles.File(file.name(), file.bytes().clone())));
      boolean lastHit = false;
      for (int i = 0; i < EDITS_MAX && !in.atEnd() && !files.isEmpty(); i++) {
        lastHit |= damage(in, files);
      }
      WalContent content = WalExercise.of(files);
      if (lastHit ? !contents.get(log).contains(content) : !contents.get(log).getLast().equals(content)) {
        throw new AssertionError("a damaged log was taken for whole: " + content.hardState() + ", "
            + content.entries().size() + " entries");
      }
    }

    /// @return whether the last segment was hit
    private static boolean damage(Input in, List<WalFiles.File> files) {
      int operation = in.u8() % 9;
      int at = in.u8() % files.size();
      byte[] bytes = files.get(at).bytes();
      boolean last = at == files.size() - 1;
      int offset = bytes.length == 0 ? 0 : in.u16() % bytes.length;
      int sector = offset / SECTOR_BYTES * SECTOR_BYTES;
      int end = Math.min(bytes.length, sector + SECTOR_BYTES);
      switch (operation) {
        case 0 -> flip(bytes, offset, in.u8());
        case 1 -> Arrays.fill(bytes, sector, end, (byte) 0);
        case 2 -> {
          byte[] burst = in.bytes(1 + in.u8() % 4);
          System.arraycopy(burst, 0, bytes, offset, Math.min(burst.length, bytes.length - offset));
        }
        case 3 -> copySector(files.get(in.u8() % files.size()).bytes(), in.u16(), bytes, sector);
        case 4 -> files.set(at, new WalFiles.File(files.get(at).name(), Arrays.copyOf(bytes, offset)));
        case 5 -> files.set(at, new WalFiles.File(files.get(at).name(), Arrays.copyOf(bytes, bytes.length + offset)));
        case 6 -> Arrays.fill(bytes, offset, bytes.length, (byte) 0);
        case 7 -> Arrays.fill(bytes, sector, end, (byte) in.u8());
        default -> files.remove(at);
      }
      return last;
    }

    private static void flip(byte[] bytes, int offset, int mask) {
      if (bytes.length > 0) {
        bytes[offset] ^= (byte) mask;
      }
    }

    private static void copySector(byte[] from, int which, byte[] to, int sector) {
      int source = from.length < SECTOR_BYTES ? 0 : which % (from.length / SECTOR_BYTES) * SECTOR_BYTES;
      int length = Math.min(SECTOR_BYTES, Math.min(from.length - source, to.length - sector));
      System.arraycopy(from, source, to, sector, length);
    }
  }

  /// Any records, framed and summed as a log's: the fuzzer's way behind the checksums.
  ///
  /// ```text
  /// input = record*     record = type (1) length (2, big-endian) data
  /// type: low three bits; 7 begins a new segment. 0x80: a wrong sum, 0x40: a wrong length field
  /// ```
  static final class Made implements Target {
    private static final int CUT = 7;

    @Override
    public int inputBytesMax() {
      return 1 << 14;
    }

    @Override
    public List<byte[]> seeds() throws IOException {
      List<byte[]> seeds = new ArrayList<>();
      for (List<WalFiles.File> log : WalFiles.all()) {
        ByteArrayOutputStream seed = new ByteArrayOutputStream();
        for (int i = 0; i < log.size(); i++) {
          if (i > 0) {
            seed.write(CUT);
          }
          for (WalFiles.Record record : WalFiles.records(List.of(log.get(i)))) {
            seed.write(record.type());
            seed.write(record.data().length >>> 8);
            seed.write(record.data().length);
            seed.writeBytes(record.data());
          }
        }
        seeds.add(seed.toByteArray());
      }
      return seeds;
    }

    @Override
    public void run(byte[] input) throws IOException {
      Input in = new Input(input);
      List<WalFiles.File> files = new ArrayList<>();
      WalFiles.Framer framer = new WalFiles.Framer();
      long firstIndex = 0;
      long nextIndex = 1;
      while (!in.atEnd()) {
        int head = in.u8();
        int type = head & 7;
        if (type == CUT) {
          files.add(new WalFiles.File(WalFiles.name(files.size(), firstIndex), framer.cut()));
          firstIndex = nextIndex;
          continue;
        }
        byte[] data = in.bytes(in.u16());
        framer.frame(type, data, head >= 0x80 ? 1 : 0, (head & 0x40) != 0 ? (long) (head >>> 3 & 7) << 56 : 0);
        nextIndex = type == WalFiles.ENTRY ? indexOf(data, nextIndex) + 1 : nextIndex;
      }
      files.add(new WalFiles.File(WalFiles.name(files.size(), firstIndex), framer.cut()));
      WalExercise.of(files);
    }

    private static long indexOf(byte[] entry, long otherwise) {
      try {
        return RaftCodec.decodeEntry(entry).index();
      } catch (IOException e) {
        return otherwise;
      }
    }
  }
}
