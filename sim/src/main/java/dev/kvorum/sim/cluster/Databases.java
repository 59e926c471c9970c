package dev.kvorum.sim.cluster;

import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.env.sim.SimDisk;
import dev.kvorum.state.StateMachine;
import dev.kvorum.state.StateOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Database files, looked at from outside.
public final class Databases {
  private static final int TRANSACTION_OFFSET = 16 + 48;

  private Databases() {}

  /// A whole file, opened on a disk of its own.
  public static StateMachine open(byte[] file) throws IOException {
    SimDisk disk = new SimDisk();
    Path path = Path.of("/copy/db");
    disk.store(path, file);
    return StateMachine.open(disk, path, StateOptions.defaults().withBolt(BoltOptions.defaults().withInitialMapBytes(0)));
  }

  /// Up to which entry the file holds everything.
  static long appliedIndex(SimDisk disk, Path file) throws IOException {
    try (StateMachine state = open(disk.contents(file))) {
      return state.backend().committedIndex();
    }
  }

  /// Which of the two meta pages is not that of the newest state.
  static int olderMeta(byte[] file, int pageBytes) {
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    return bytes.getLong(TRANSACTION_OFFSET) < bytes.getLong(pageBytes + TRANSACTION_OFFSET) ? 0 : 1;
  }

  /// Whether the leaf that begins at `page` has no elements once `bit` of the byte at `offset` is flipped. Below a branch
  /// that could be told; a bucket's root may be empty by right.
  static boolean emptiesLeaf(byte[] file, int page, int offset, int bit) {
    ByteBuffer header = ByteBuffer.wrap(file, page, 16).slice().order(ByteOrder.LITTLE_ENDIAN);
    int count = header.getShort(10) ^ (offset - page == 10 ? 1 << bit : 0) ^ (offset - page == 11 ? 256 << bit : 0);
    return header.getShort(8) == 2 && count == 0;
  }

  /// Where pages begin that have a header, the two meta pages left out: a page inside a longer one has none.
  static List<Integer> pages(byte[] file, int pageBytes) {
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    List<Integer> pages = new ArrayList<>();
    for (int id = 2; id < file.length / pageBytes; id++) {
      int flags = bytes.getShort(id * pageBytes + 8);
      if (bytes.getLong(id * pageBytes) == id && (flags == 1 || flags == 2 || flags == 16)) {
        pages.add(id);
      }
    }
    return pages;
  }
}
