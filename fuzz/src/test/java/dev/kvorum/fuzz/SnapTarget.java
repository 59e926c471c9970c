package dev.kvorum.fuzz;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Snapshot;
import dev.kvorum.wal.SnapStore;
import dev.kvorum.wal.V2MembershipJson;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/// `.snap` files. Behind an even first byte lies a whole file, behind an odd one what its checksum is to be made for.
final class SnapTarget implements Target {
  private static final Path DIRECTORY = Path.of("/fuzz/snap");

  /// In the name, as in the file, of which nothing is believed.
  private static final String NAME = "0000000000000003-000000000000000c.snap";

  @Override
  public int inputBytesMax() {
    return 4096;
  }

  @Override
  public List<byte[]> seeds() throws IOException {
    List<byte[]> seeds = new ArrayList<>();
    Bytes data = V2MembershipJson.encode(
        List.of(new V2MembershipJson.Member(1, List.of("http://a:1"), false, "a", List.of("http://a:2"))),
        List.of(4L), "3.7.0", 12);
    MemoryDisk disk = new MemoryDisk();
    new SnapStore(disk, DIRECTORY).save(new Snapshot(data, ConfState.of(List.of(1L, 2L), List.of(3L)), 12, 3));
    byte[] file = disk.get(DIRECTORY.resolve(NAME));
    seeds.add(prefixed(0, file));
    seeds.add(prefixed(1, Arrays.copyOfRange(file, 9, file.length)));
    return seeds;
  }

  private static byte[] prefixed(int first, byte[] rest) {
    byte[] all = new byte[1 + rest.length];
    all[0] = (byte) first;
    System.arraycopy(rest, 0, all, 1, rest.length);
    return all;
  }

  @Override
  public void run(byte[] input) throws IOException {
    if (input.length == 0) {
      return;
    }
    byte[] rest = Arrays.copyOfRange(input, 1, input.length);
    MemoryDisk disk = new MemoryDisk();
    disk.createDirectories(DIRECTORY);
    Path file = DIRECTORY.resolve(NAME);
    disk.put(file, input[0] % 2 == 0 ? rest : sealed(rest));
    SnapStore store = new SnapStore(disk, DIRECTORY);
    Snapshot newest = store.loadNewest();
    if (newest == null) {
      if (disk.exists(file) || disk.list(DIRECTORY).size() != 1) {
        throw new AssertionError("an unreadable snapshot was not set aside");
      }
      return;
    }
    if (!SnapStore.read(disk, file).equals(newest)) {
      throw new AssertionError("a file that reads differently the second time");
    }
    again(newest);
  }

  private static void again(Snapshot snapshot) throws IOException {
    MemoryDisk disk = new MemoryDisk();
    SnapStore store = new SnapStore(disk, DIRECTORY);
    store.save(snapshot);
    if (!snapshot.isEmpty() && !snapshot.equals(store.loadNewest())) {
      throw new AssertionError("what was saved loads as something else");
    }
  }

  /// { 1: crc 2: data }
  private static byte[] sealed(byte[] data) {
    CRC32C crc = new CRC32C();
    crc.update(data, 0, data.length);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(0x08);
    varint(out, crc.getValue());
    out.write(0x12);
    varint(out, data.length);
    out.writeBytes(data);
    return out.toByteArray();
  }

  private static void varint(ByteArrayOutputStream out, long value) {
    for (; (value & ~0x7FL) != 0; value >>>= 7) {
      out.write((int) value & 0x7F | 0x80);
    }
    out.write((int) value);
  }
}
