package dev.kvorum.raft.tracker;

/// How a leader sends to a member.
public enum ProgressState {
  /// Where the logs meet is unknown: one append, then wait for its answer.
  PROBE("StateProbe"),
  /// Logs met: appends are pipelined without waiting.
  REPLICATE("StateReplicate"),
  /// The member needs entries that are compacted away: nothing until it has the snapshot.
  SNAPSHOT("StateSnapshot");

  private final String etcdName;

  ProgressState(String etcdName) {
    this.etcdName = etcdName;
  }

  @Override
  public String toString() {
    return etcdName;
  }
}
