package dev.kvorum.member;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.RealDisk;
import dev.kvorum.state.membership.MemberIds;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Several members of one cluster in this process.
final class LiveCluster implements AutoCloseable {
  final LiveLinks network = new LiveLinks();
  final List<LiveMember> members = new ArrayList<>();
  private final Path root;
  private final Map<String, Object> changes;

  private LiveCluster(Path root, Map<String, Object> changes) {
    this.root = root;
    this.changes = changes;
  }

  /// Founds a cluster of `count`, and waits until all serve.
  ///
  /// @param changes to the usual configuration, by component
  static LiveCluster found(Path root, int count, Map<String, Object> changes) throws Exception {
    LiveCluster cluster = new LiveCluster(root, changes);
    List<Thread> starts = new ArrayList<>();
    LiveMember[] started = new LiveMember[count];
    for (int i = 0; i < count; i++) {
      int at = i;
      starts.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      started[at] = cluster.start("m" + at, founders(count), null);
                    } catch (Exception e) {
                      throw new IllegalStateException(e);
                    }
                  }));
    }
    for (Thread start : starts) {
      start.join();
    }
    cluster.members.addAll(List.of(started));
    return cluster;
  }

  private static Map<String, List<String>> founders(int count) {
    Map<String, List<String>> founders = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      founders.put("m" + i, urls("m" + i));
    }
    return founders;
  }

  static List<String> urls(String name) {
    return List.of("http://" + name + ":2380");
  }

  private LiveMember start(String name, Map<String, List<String>> founders, @Nullable RemoteCluster remote)
      throws Exception {
    Path directory = root.resolve(name);
    Map<String, Object> all = new HashMap<>(changes);
    all.put("name", name);
    all.put("advertisePeerUrls", urls(name));
    all.put("initialCluster", founders);
    all.put("clusterExists", remote != null);
    all.put("tickNanos", TimeUnit.MILLISECONDS.toNanos(20));
    long id =
        remote == null
            ? MemberIds.ofBootstrap(urls(name), "etcd-cluster")
            : remote.members().stream()
                .filter(member -> urls(name).equals(member.peerUrls()))
                .findFirst()
                .orElseThrow()
                .id();
    return LiveMember.start(
        LiveMember.config(directory, all), new RealDisk(), network.of(id), remote);
  }

  /// Stops member `at`, as a planned stop does.
  void stop(int at) throws Exception {
    members.get(at).close();
  }

  /// Starts a stopped member again on what it left.
  void restart(int at) throws Exception {
    String name = members.get(at).member.config().name();
    boolean founder = members.get(at).member.config().initialCluster().containsKey(name);
    members.set(
        at,
        founder
            ? start(name, members.get(at).member.config().initialCluster(), null)
            : start(name, Map.of(), remote()));
  }

  /// Starts a member that was added under `name`.
  LiveMember join(String name) throws Exception {
    LiveMember joined = start(name, Map.of(), remote());
    members.add(joined);
    return joined;
  }

  private RemoteCluster remote() {
    Member any = leader().member;
    return new RemoteCluster(any.clusterId(), any.membership().members());
  }

  /// Whoever leads, as soon as somebody does.
  LiveMember leader() {
    await("a leader", () -> members.stream().anyMatch(live -> live.member.isLeader()));
    return members.stream().filter(live -> live.member.isLeader()).findFirst().orElseThrow();
  }

  /// Someone who follows.
  LiveMember follower() {
    LiveMember leader = leader();
    return members.stream().filter(live -> live != leader).findFirst().orElseThrow();
  }

  /// Waits until all members have applied what the leader has, and hold the same.
  void converge() throws Exception {
    long index = leader().member.appliedIndex();
    for (LiveMember live : members) {
      await("applied " + index, () -> live.member.appliedIndex() >= index);
    }
    long revision = leader().member.currentRevision();
    List<Integer> hashes = new ArrayList<>();
    for (LiveMember live : members) {
      try (var view = live.member.view()) {
        hashes.add(view.hashByRevision(revision).hash());
      }
    }
    assertThat(hashes).containsOnly(hashes.getFirst());
  }

  static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LiveMember.DEADLINE_SECONDS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - deadline).as("waiting for %s", what).isNegative();
      Thread.onSpinWait();
      Thread.yield();
    }
  }

  @Override
  public void close() throws Exception {
    for (LiveMember live : members) {
      live.close();
    }
  }
}
