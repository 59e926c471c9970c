package dev.kvorum.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OptionsTest {
  private static Options parse(String line) {
    return Options.parse(Path.of("/repo"), line.isEmpty() ? new String[0] : line.split(" "));
  }

  @Test
  void clientsAreSpreadOverAHundredConnections() {
    Options options = parse("put --clients 1000 --against /bin/sh");
    assertThat(options.conns()).isEqualTo(100);
    assertThat(options.inflight()).isEqualTo(10);
    assertThat(options.other()).isEqualTo(Path.of("/bin/sh"));
    assertThat(options.ours()).isEqualTo(Path.of("/repo/bin/etcd"));
    assertThat(Row.of(options)).extracting(Row::name).containsExactly("put 100x10");
  }

  @Test
  void oneSideMayBeLeftOut() {
    assertThat(parse("put --only ours --against /bin/sh").other()).isNull();
    assertThat(parse("put --only other --against /bin/sh").ours()).isNull();
  }

  @Test
  void aProgramThatIsNotThereIsNamedBeforeAnythingStarts() {
    for (String line : new String[] {"million --against /nonexistent/etcd", "million --ours /nonexistent/etcd"}) {
      assertThatThrownBy(() -> million(line)).hasMessage("no program is at /nonexistent/etcd");
    }
    assertThat(parse("put --only ours --against /nonexistent/etcd").other()).isNull();
  }

  @Test
  void allMeansEveryRow() {
    assertThat(Row.of(parse("all")))
        .extracting(Row::name)
        .containsExactly(
            "put 1x1",
            "put 100x10",
            "txn 100x10",
            "range 100x10 linearizable, fresh",
            "range 100x10 linearizable, after puts",
            "range 100x10 serializable, fresh",
            "range 100x10 serializable, after puts",
            "range-many 1x1 linearizable, fresh",
            "range-many 10x10 linearizable, fresh",
            "watch 100x1",
            "lease-keepalive 100x1",
            "mixed 100x10");
  }

  @Test
  void aMillionKeysDoEverythingTenMillionOnlyStartAndRead() {
    assertThat(million("million").parts()).containsExactly(Million.Part.START, Million.Part.READS, Million.Part.DURING);
    assertThat(million("million --keys 10000000").parts()).containsExactly(Million.Part.START, Million.Part.READS);
    assertThat(million("million --keys 10000000 --parts start").parts()).containsExactly(Million.Part.START);
    assertThatThrownBy(() -> million("million --parts begin")).hasMessageContaining("not begin");
  }

  private static Million.Options million(String line) {
    return Million.Options.parse(Path.of("/repo"), line.split(" "));
  }

  @Test
  void theStormIsTheOneOfTheAcceptanceUnlessToldOtherwise() {
    ListStorm.Options options = ListStorm.Options.parse(Path.of("/repo"), new String[] {"list-storm"});
    assertThat(options.memoryBytes()).isEqualTo(512L << 20);
    assertThat(options.keys()).isEqualTo(300_000);
    assertThat(options.clients()).isEqualTo(100);
    assertThat(options.seconds()).isEqualTo(600);
    assertThatThrownBy(() -> ListStorm.Options.parse(Path.of("/repo"), new String[] {"list-storm", "--seconds", "0"}))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "puts",
        "put --only other",
        "put --only mine",
        "put --against /nonexistent/etcd",
        "put --against /",
        "put --ours /nonexistent/etcd",
        "put --rounds",
        "put --rounds x",
        "put --rounds 0",
        "put --conns 20000",
        "put --value-size 4",
        "put --verbose"
      })
  void whatIsNotUnderstoodIsRefused(String line) {
    assertThatThrownBy(() -> parse(line)).isInstanceOf(IllegalArgumentException.class);
  }
}
