package dev.kvorum.fuzz;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Several targets as one, for short campaigns: they share the start of a JVM. The first byte picks.
record Group(List<Target> targets) implements Target {
  @Override
  public int inputBytesMax() {
    return 1 + targets.stream().mapToInt(Target::inputBytesMax).max().orElse(0);
  }

  @Override
  public List<byte[]> seeds() throws Exception {
    List<byte[]> seeds = new ArrayList<>();
    for (int i = 0; i < targets.size(); i++) {
      for (byte[] seed : targets.get(i).seeds()) {
        byte[] prefixed = new byte[1 + seed.length];
        prefixed[0] = (byte) i;
        System.arraycopy(seed, 0, prefixed, 1, seed.length);
        seeds.add(prefixed);
      }
    }
    return seeds;
  }

  @Override
  public void run(byte[] input) throws Exception {
    if (input.length > 0) {
      Target picked = targets.get((input[0] & 0xFF) % targets.size());
      byte[] rest = Arrays.copyOfRange(input, 1, input.length);
      picked.run(rest.length <= picked.inputBytesMax() ? rest : Arrays.copyOf(rest, picked.inputBytesMax()));
    }
  }
}
