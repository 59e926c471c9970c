package dev.kvorum.fuzz;

import dev.kvorum.bolt.Bolt;
import dev.kvorum.bolt.Bucket;
import dev.kvorum.bolt.Cursor;
import dev.kvorum.bolt.ReadTx;
import dev.kvorum.bolt.WriteTx;
import dev.kvorum.state.Proposal;
import dev.kvorum.state.Request;
import dev.kvorum.state.RequestCodec;
import dev.kvorum.state.RequestHeader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The state: loaded from what a db holds, and driven by what a log holds.
final class StateTargets {
  private static final List<String> BUCKETS = List.of(
      "alarm", "auth", "authRoles", "authUsers", "cluster", "key", "lease", "members", "members_removed", "meta");

  private StateTargets() {}

  private static List<Proposal> proposals() throws IOException {
    List<Proposal> proposals = new ArrayList<>();
    for (Request request : Requests.all()) {
      proposals.add(new Proposal(RequestHeader.of(proposals.size() + 1), request));
    }
    return proposals;
  }

  /// A db that the requests have been applied to, cut behind its last page.
  private static byte[] db(int applied) throws IOException {
    MemoryDisk disk = new MemoryDisk();
    StateExercise.of(disk, proposals().subList(0, applied));
    long bytes;
    try (Bolt bolt = Bolt.open(disk, BoltFiles.PATH, BoltFiles.options(1024)); ReadTx tx = bolt.beginRead()) {
      bytes = tx.sizeBytes();
    }
    return Arrays.copyOf(disk.get(BoltFiles.PATH), (int) bytes);
  }

  /// A sound file with any records in its buckets.
  ///
  /// ```text
  /// input = record*     record = bucket (1) key length (1) key value length (2) value
  /// ```
  static final class Records implements Target {
    @Override
    public int inputBytesMax() {
      return 8192;
    }

    @Override
    public List<byte[]> seeds() throws IOException {
      List<byte[]> seeds = new ArrayList<>();
      for (int applied = 0; applied <= proposals().size(); applied += 4) {
        MemoryDisk disk = new MemoryDisk();
        disk.put(BoltFiles.PATH, db(applied));
        seeds.add(recordsOf(disk));
      }
      return seeds;
    }

    private static byte[] recordsOf(MemoryDisk disk) throws IOException {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      try (Bolt bolt = Bolt.open(disk, BoltFiles.PATH, BoltFiles.options(1024)); ReadTx tx = bolt.beginRead()) {
        for (int i = 0; i < BUCKETS.size(); i++) {
          Cursor cursor = tx.bucket(BoltFiles.utf8(BUCKETS.get(i))).cursor();
          for (boolean more = cursor.first(); more; more = cursor.next()) {
            out.write(i);
            out.write(cursor.keyLength());
            out.writeBytes(cursor.key());
            out.write(cursor.valueLength() >>> 8);
            out.write(cursor.valueLength());
            out.writeBytes(cursor.value());
          }
        }
      }
      return out.toByteArray();
    }

    @Override
    public void run(byte[] input) throws IOException {
      Input in = new Input(input);
      MemoryDisk disk = new MemoryDisk();
      try (Bolt bolt = Bolt.open(disk, BoltFiles.PATH, BoltFiles.options(1024).withNoSync(true));
          WriteTx tx = bolt.beginWrite()) {
        while (!in.atEnd()) {
          Bucket bucket = tx.createBucketIfAbsent(BoltFiles.utf8(BUCKETS.get(in.u8() % BUCKETS.size())));
          byte[] key = in.bytes(in.u8());
          byte[] value = in.bytes(in.u16());
          if (key.length > 0) {
            bucket.put(key, value);
          }
        }
        tx.commit();
      }
      StateExercise.of(disk, proposals());
    }
  }

  /// A state's file and a script of edits to it, as in [BoltEdits].
  static final class Pages implements Target {
    private final List<byte[]> files;

    Pages() {
      try {
        files = List.of(db(3), db(9), db(proposals().size()));
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public int inputBytesMax() {
      return 256;
    }

    @Override
    public List<byte[]> seeds() {
      List<byte[]> seeds = new ArrayList<>();
      for (int i = 0; i < files.size(); i++) {
        seeds.add(new byte[] {(byte) i});
        for (int operation = 0; operation < 10; operation++) {
          seeds.add(new byte[] {(byte) i, (byte) operation, 3, 1, 2, 3, 4, 5});
        }
      }
      return seeds;
    }

    @Override
    public void run(byte[] input) throws IOException {
      MemoryDisk disk = new MemoryDisk();
      disk.put(BoltFiles.PATH, BoltEdits.apply(new Input(input), files));
      StateExercise.of(disk, proposals());
    }
  }

  /// A whole file as it is, behind one byte: odd, its metas are sealed.
  static final class File implements Target {
    @Override
    public int inputBytesMax() {
      return 1 << 15;
    }

    @Override
    public List<byte[]> seeds() throws IOException {
      List<byte[]> seeds = new ArrayList<>();
      for (int applied : new int[] {0, 9, proposals().size()}) {
        byte[] file = db(applied);
        byte[] seed = new byte[1 + file.length];
        seed[0] = 1;
        System.arraycopy(file, 0, seed, 1, file.length);
        seeds.add(seed);
      }
      return seeds;
    }

    @Override
    public void run(byte[] input) throws IOException {
      if (input.length < 2) {
        return;
      }
      byte[] file = Arrays.copyOfRange(input, 1, input.length);
      if (input[0] % 2 != 0) {
        BoltFiles.sealMetas(file);
      }
      MemoryDisk disk = new MemoryDisk();
      disk.put(BoltFiles.PATH, file);
      StateExercise.of(disk, proposals());
    }
  }

  /// What committed entries ask for, whatever that is.
  ///
  /// ```text
  /// input = entry*     entry = length (2) data
  /// ```
  static final class Log implements Target {
    @Override
    public int inputBytesMax() {
      return 8192;
    }

    @Override
    public List<byte[]> seeds() throws IOException {
      List<byte[]> seeds = new ArrayList<>();
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      for (Proposal proposal : proposals()) {
        byte[] data = RequestCodec.encode(proposal.header(), proposal.request());
        ByteArrayOutputStream one = new ByteArrayOutputStream();
        for (ByteArrayOutputStream out : List.of(one, all)) {
          out.write(data.length >>> 8);
          out.write(data.length);
          out.writeBytes(data);
        }
        seeds.add(one.toByteArray());
        seeds.add(all.toByteArray());
      }
      return seeds;
    }

    @Override
    public void run(byte[] input) throws IOException {
      Input in = new Input(input);
      List<Proposal> proposals = new ArrayList<>();
      while (!in.atEnd()) {
        try {
          proposals.add(RequestCodec.decode(in.bytes(in.u16())));
        } catch (IOException refused) {
          // as a member does that meets such an entry: it stops there
        }
      }
      StateExercise.of(new MemoryDisk(), proposals);
    }
  }
}
