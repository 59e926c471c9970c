package dev.kvorum.raft;

/// What a node currently is to its cluster (Raft paper §5.1; the pre-candidate is Raft thesis §9.6).
public enum RaftState {
  FOLLOWER("StateFollower"),
  CANDIDATE("StateCandidate"),
  LEADER("StateLeader"),
  PRE_CANDIDATE("StatePreCandidate");

  private final String etcdName;

  RaftState(String etcdName) {
    this.etcdName = etcdName;
  }

  /// etcd raft's name, as its logs and status pages print it.
  public String etcdName() {
    return etcdName;
  }
}
