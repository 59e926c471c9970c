package dev.kvorum.state.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.state.membership.DowngradeInfo;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class VersionTest {
  private static Version v(String text) {
    Version version = Version.parse(text);
    if (version == null) {
      throw new AssertionError(text);
    }
    return version;
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "3", "3.7", "3.7.x", "v3.7.0", "3.7.0.1", " 3.7.0", "-3.7.0", "3..0"})
  void whatIsNoVersionIsNull(String text) {
    assertThat(Version.parse(text)).isNull();
  }

  @Test
  void versionsAreOrderedByPrecedence() {
    List<String> ascending =
        List.of("3.0.0", "3.6.0-alpha", "3.6.0-alpha.1", "3.6.0-alpha.beta", "3.6.0-beta.2", "3.6.0-beta.11",
            "3.6.0-rc.1", "3.6.0", "3.6.1", "3.10.0", "4.0.0");
    assertThat(ascending.reversed().stream().map(VersionTest::v).sorted().map(Version::toString)).isEqualTo(ascending);
    assertThat(v("3.7.1+build")).isEqualTo(Version.SERVER);
  }

  static Stream<Arguments> clusterVersions() {
    return Stream.of(
        Arguments.of("undecided, a member unreachable", null, null, "", "3.0.0"),
        Arguments.of("undecided, all known", null, "3.7.1", "", "3.7.0"),
        Arguments.of("decided, a member unreachable", "3.6.0", null, "", null),
        Arguments.of("all members newer", "3.0.0", "3.7.1", "", "3.7.0"),
        Arguments.of("nothing to do", "3.7.0", "3.7.1", "", null),
        Arguments.of("a member older", "3.7.0", "3.6.9", "", null),
        Arguments.of("downgrade", "3.7.0", "3.7.1", "3.6.0", "3.6.0"),
        Arguments.of("downgrade done", "3.6.0", "3.7.1", "3.6.0", null));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("clusterVersions")
  void theLeaderProposesWhatTheMembersAllow(
      String name, @Nullable String cluster, @Nullable String lowest, String downgrade, @Nullable String expected) {
    Version proposed =
        VersionMonitor.clusterVersion(
            cluster == null ? null : v(cluster),
            lowest == null ? null : v(lowest),
            new DowngradeInfo(!downgrade.isEmpty(), downgrade));
    assertThat(proposed).isEqualTo(expected == null ? null : v(expected));
  }

  @Test
  void aDowngradeByMoreThanOneMinorIsRefused() {
    DowngradeInfo info = new DowngradeInfo(true, "3.5.0");
    assertThatThrownBy(() -> VersionMonitor.clusterVersion(v("3.7.0"), v("3.7.1"), info))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void theLowestVersionIsUnknownWhenAnyIs() {
    assertThat(VersionMonitor.lowest(List.of("3.7.1", "3.6.9"))).isEqualTo(v("3.6.9"));
    assertThat(VersionMonitor.lowest(Arrays.asList("3.7.1", null))).isNull();
    assertThat(VersionMonitor.lowest(List.of("3.7.1", "x"))).isNull();
    assertThat(VersionMonitor.lowest(List.of())).isNull();
  }

  @Test
  void storageFollowsTheClusterOnceItIsDecided() {
    assertThat(VersionMonitor.storageVersion(null, null)).isNull();
    assertThat(VersionMonitor.storageVersion(v("3.0.0"), Version.V3_5)).isNull();
    assertThat(VersionMonitor.storageVersion(v("3.7.0"), null)).isEqualTo(Version.V3_7);
    assertThat(VersionMonitor.storageVersion(v("3.7.0"), Version.V3_5)).isEqualTo(Version.V3_7);
    assertThat(VersionMonitor.storageVersion(v("3.7.0"), v("3.7.3"))).isNull();
    assertThat(VersionMonitor.storageVersion(v("3.6.0"), Version.V3_7)).isEqualTo(Version.V3_6);
  }

  @Test
  void aDowngradeIsCompleteWhenAllMembersRunItsTarget() {
    DowngradeInfo info = new DowngradeInfo(true, "3.6.0");
    assertThat(VersionMonitor.isDowngradeComplete(info, List.of("3.6.1", "3.6.14"))).isTrue();
    assertThat(VersionMonitor.isDowngradeComplete(info, List.of("3.6.1", "3.7.1"))).isFalse();
    assertThat(VersionMonitor.isDowngradeComplete(info, Arrays.asList("3.6.1", null))).isFalse();
    assertThat(VersionMonitor.isDowngradeComplete(DowngradeInfo.NONE, List.of("3.6.1"))).isFalse();
  }
}
