package dev.kvorum.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FlagTableTest {
  @Test
  void allFlagsOfEtcdAreThere() {
    assertThat(FlagTable.SERVER.all().stream().filter(flag -> !flag.isHidden())).hasSize(113);
    assertThat(FlagTable.SERVER.all().stream().filter(Flag::isHidden)).hasSize(15);
  }

  @Test
  void everyDefaultCanBeRead() {
    for (Flag flag : FlagTable.SERVER.all()) {
      assertThat(flag.defaultValue()).as(flag.name()).isNotNull();
    }
  }

  @Test
  void variablesAndFileKeysAreDistinct() {
    assertThat(FlagTable.SERVER.all().stream().map(Flag::variable)).doesNotHaveDuplicates();
    assertThat(FlagTable.SERVER.all().stream().map(Flag::yamlKey).filter(key -> !key.isEmpty()))
        .doesNotHaveDuplicates();
  }

  @Test
  void theHelpExplainsEveryFlagButTheHidden() {
    String help = Usage.flags();
    for (Flag flag : FlagTable.SERVER.all()) {
      if (flag.isHidden()) {
        assertThat(help).doesNotContain("--" + flag.name() + " '");
      } else {
        assertThat(help).contains("  --" + flag.name() + " '" + flag.shownDefault() + "'\n");
        assertThat(flag.help()).as(flag.name()).isNotBlank();
      }
    }
    assertThat(help).contains("Clustering:\n", "LeaseCheckpoint=true|false (ALPHA, default false)");
  }
}
