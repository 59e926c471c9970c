package dev.kvorum.state.schema;

import dev.kvorum.state.membership.DowngradeInfo;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/// What the version monitors decide, as pure functions. The leader asks every 4 s what the cluster's version should be,
/// every member what its file's should be (`apply-semantics.md` §12).
public final class VersionMonitor {
  private VersionMonitor() {}

  /// The lowest of the members' server versions; null when one is unknown, or there are none.
  ///
  /// @param servers the text each member gives for its server; null for one that did not answer
  public static @Nullable Version lowest(Collection<@Nullable String> servers) {
    Version lowest = null;
    for (String server : servers) {
      Version version = server == null ? null : Version.parse(server);
      if (version == null) {
        return null;
      }
      lowest = lowest == null || version.isBelow(lowest) ? version : lowest;
    }
    return lowest;
  }

  /// What the leader should propose as the cluster's version; null when it should stay as it is.
  ///
  /// @param cluster null when not decided yet
  /// @param lowestServer see [#lowest]
  /// @throws IllegalArgumentException when a downgrade is on whose target is not one minor below both
  public static @Nullable Version clusterVersion(
      @Nullable Version cluster, @Nullable Version lowestServer, DowngradeInfo downgrade) {
    if (cluster == null) {
      return lowestServer == null ? Version.MIN_CLUSTER : lowestServer.majorMinor();
    }
    if (lowestServer == null) {
      return null;
    }
    if (downgrade.enabled()) {
      return downgradeStep(cluster, lowestServer, downgrade);
    }
    return cluster.isBelow(lowestServer) && cluster.major() == lowestServer.major()
            && cluster.minor() < lowestServer.minor()
        ? lowestServer.majorMinor()
        : null;
  }

  private static @Nullable Version downgradeStep(Version cluster, Version lowestServer, DowngradeInfo downgrade) {
    Version target = Version.parse(downgrade.targetVersion());
    if (cluster.equals(target)) {
      return null;
    }
    if (target == null || !isOneMinorBelow(target, cluster) || !isOneMinorBelow(target, lowestServer)) {
      throw new IllegalArgumentException("invalid downgrade target");
    }
    return target;
  }

  /// True when `target` is what a cluster at `from` may be downgraded to.
  public static boolean isOneMinorBelow(Version target, Version from) {
    return target.equals(Version.of(from.major(), from.minor() - 1));
  }

  /// What this member's file should be migrated to; null when it need not be.
  ///
  /// @param storage null when it cannot be told
  public static @Nullable Version storageVersion(@Nullable Version cluster, @Nullable Version storage) {
    if (cluster == null || cluster.equals(Version.MIN_CLUSTER)) {
      return null;
    }
    return storage == null || !storage.sameMinor(cluster) ? cluster.majorMinor() : null;
  }

  /// True when a downgrade is on and all members run its target, so that the leader should end it.
  public static boolean isDowngradeComplete(DowngradeInfo downgrade, Collection<@Nullable String> servers) {
    Version target = downgrade.enabled() ? Version.parse(downgrade.targetVersion()) : null;
    if (target == null) {
      return false;
    }
    for (String server : servers) {
      Version version = server == null ? null : Version.parse(server);
      if (version == null || !version.sameMinor(target)) {
        return false;
      }
    }
    return true;
  }
}
