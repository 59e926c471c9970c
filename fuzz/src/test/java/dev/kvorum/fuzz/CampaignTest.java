package dev.kvorum.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CampaignTest {
  /// Shared by all targets; two groups of them run at a time. `bin/fuzz all --seconds 3600` is the long version.
  private static final double SECONDS = Double.parseDouble(System.getProperty("kvorum.fuzz.seconds", "60"));

  @Test
  void aMinuteOfDamageFindsNothing() throws Exception {
    long seed = Long.getLong("kvorum.seed", new SplittableRandom().nextInt(Integer.MAX_VALUE));
    System.out.println("aMinuteOfDamageFindsNothing: -Dkvorum.seed=" + seed);
    Path directory = Path.of("target", "fuzz-ci").toAbsolutePath();
    delete(directory);
    Campaign campaign = new Campaign(
        Path.of(System.getProperty("java.home"), "bin", "java"),
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
        Files.createDirectories(directory),
        System.out);

    List<Campaign.Outcome> outcomes = campaign.run(Targets.groups(), SECONDS, seed, 2);

    assertThat(outcomes).as("-Dkvorum.seed=" + seed).allMatch(Campaign.Outcome::isClean);
    assertThat(outcomes).as("inputs tried").allMatch(outcome -> outcome.runs() > 0);
  }

  private static void delete(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }
}
