package dev.kvorum.fuzz;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// bolt's readers: opening, cursors, checker, snapshot, copy, and commits on top of what was read.
final class BoltTargets {
  private BoltTargets() {}

  /// A whole file as it is, behind one byte: odd, its metas are sealed.
  static final class Raw implements Target {
    @Override
    public int inputBytesMax() {
      return 1 << 16;
    }

    @Override
    public List<byte[]> seeds() throws IOException {
      List<byte[]> seeds = new ArrayList<>();
      for (byte[] file : BoltFiles.all()) {
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
      BoltExercise.of(file);
    }
  }

  /// A valid file and a script of edits.
  static class Edited implements Target {
    private final List<byte[]> files;

    Edited() {
      try {
        files = BoltFiles.all();
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
      BoltExercise.of(file(input));
    }

    /// What the script makes of its file.
    final byte[] file(byte[] input) {
      return BoltEdits.apply(new Input(input), files);
    }
  }

  /// The same, for salvage and surgery.
  static final class Broken extends Edited {
    @Override
    public void run(byte[] input) throws IOException {
      BoltExercise.mend(file(input));
    }
  }
}
