package dev.kvorum.sim.mutant;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The list of mutants keeps up with the sources, and the simulator with the mutants. `bin/mutants` plays them all.
class MutantsTest {
  private static final int DRAWN = 2;

  /// Ten times what the rarest of the quick ones took: how busy the machine is must not decide.
  private static final int SEEDS_MAX = 300;

  /// For a mutant that makes a story endless.
  private static final double MINUTES_MAX = 15;

  @Test
  void eachMutantCanBePlantedAndCompiled() throws IOException {
    List<Mutant> all = all();
    assertThat(all).hasSizeGreaterThanOrEqualTo(30);
    for (Mutant mutant : all) {
      Planted.plant(mutant, root()).close();
    }
  }

  /// A few of those that are found soon, with seeds that nobody has played.
  @Test
  void mutantsDrawnByChanceAreFound() throws IOException, InterruptedException {
    long seed = Long.getLong("kvorum.seed", new Random().nextLong() >>> 24);
    List<Mutant> left = new ArrayList<>(all().stream().filter(mutant -> mutant.rarity() == Mutant.Rarity.QUICK).toList());
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < DRAWN; i++) {
      Mutant mutant = left.remove(random.nextInt(left.size()));
      try (Planted planted = Planted.plant(mutant, root())) {
        Planted.Verdict verdict = planted.play(seed, SEEDS_MAX, MINUTES_MAX);
        System.out.println(mutant.name() + ": " + verdict + ", seeds from " + seed);
        assertThat(verdict.isFound()).as("%s, with -Dkvorum.seed=%d", mutant.name(), seed).isTrue();
      }
    }
  }

  private static List<Mutant> all() throws IOException {
    return Mutant.read(root().resolve(Mutant.LIST));
  }

  private static Path root() {
    Path at = Path.of("").toAbsolutePath();
    while (!Files.exists(at.resolve(Mutant.LIST))) {
      at = at.getParent();
    }
    return at;
  }
}
