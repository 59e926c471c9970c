package dev.kvorum.server;

import dev.kvorum.member.Member;
import dev.kvorum.member.metrics.EtcdMetrics;
import dev.kvorum.member.watch.WatchMetrics;
import java.util.concurrent.CompletableFuture;

/// Hears what happens to the member, counts it, and passes on the two things a process must know: that it serves, and
/// that it cannot go on.
final class MemberObserver implements Member.Observer, WatchMetrics {
  private final EtcdMetrics metrics;
  private final EtcdServer.OnHalt onHalt;
  private final CompletableFuture<Void> ready = new CompletableFuture<>();

  MemberObserver(EtcdMetrics metrics, EtcdServer.OnHalt onHalt) {
    this.metrics = metrics;
    this.onHalt = onHalt;
  }

  /// Completes when the cluster knows this member.
  CompletableFuture<Void> whenReady() {
    return ready;
  }

  @Override
  public void ready() {
    ready.complete(null);
  }

  @Override
  public void halted(String what, Throwable cause) {
    ready.completeExceptionally(cause);
    onHalt.halted(what + " failed; the member stopped", cause);
  }

  @Override
  public void leaderChanged(long from, long to, long term) {
    if (to != 0 && to != from) {
      metrics.leaderChangesSeen.increment();
    }
  }

  @Override
  public void clusterVersion(String version) {
    metrics.clusterVersion.forEach((labels, gauge) -> gauge.set(0));
    metrics.clusterVersion.labels(version).set(1);
  }

  @Override
  public void applied(String op, boolean success, long tookNanos) {
    metrics.applyDuration.labels("v3", op, success ? "true" : "false").observeNanos(tookNanos);
  }

  @Override
  public void changed(int puts, int deletes) {
    metrics.puts.add(puts);
    metrics.deletes.add(deletes);
    if (puts + deletes > 1) {
      metrics.txns.increment();
    }
  }

  @Override
  public void answered(String type, boolean success, long tookNanos) {
    metrics.requestDuration.labels(type, success ? "true" : "false").observeNanos(tookNanos);
  }

  @Override
  public void ranged(boolean success, long tookNanos) {
    metrics.rangeDuration.labels(success ? "true" : "false").observeNanos(tookNanos);
    metrics.ranges.increment();
  }

  @Override
  public void walSynced(long tookNanos) {
    metrics.walSyncDuration.observeNanos(tookNanos);
  }

  @Override
  public void backendCommitted(long tookNanos) {
    metrics.backendCommitDuration.observeNanos(tookNanos);
  }

  @Override
  public WatchMetrics watches() {
    return this;
  }

  @Override
  public void streamOpened() {
    metrics.watchStreams.increment();
  }

  @Override
  public void streamClosed() {
    metrics.watchStreams.decrement();
  }

  @Override
  public void watcherAdded() {
    metrics.watchers.increment();
  }

  @Override
  public void watcherRemoved() {
    metrics.watchers.decrement();
  }

  @Override
  public void eventsSent(int count) {
    metrics.watchEvents.add(count);
  }

  @Override
  public void behind(int watchers) {
    metrics.slowWatchers.set(watchers);
  }

  /// Binds the values that are asked for at each scrape.
  static void readLive(EtcdMetrics metrics, Member member) {
    metrics.hasLeader.readFrom(() -> member.hasLeader() ? 1 : 0);
    metrics.isLeader.readFrom(() -> member.isLeader() ? 1 : 0);
    metrics.isLearner.readFrom(() -> member.isLearner() ? 1 : 0);
    metrics.proposalsApplied.readFrom(member::appliedIndex);
    metrics.proposalsCommitted.readFrom(member::committedIndex);
    metrics.proposalsPending.readFrom(member::proposalsPending);
    metrics.currentRevision.readFrom(member::currentRevision);
    metrics.compactRevision.readFrom(
        () -> {
          try (var view = member.view()) {
            return view.compactRevision();
          }
        });
    metrics.dbSize.readFrom(() -> member.backendSize().bytes());
    metrics.dbSizeInUse.readFrom(() -> member.backendSize().inUseBytes());
  }
}
