package dev.kvorum.raft.quorum;

/// Where an election stands.
public enum VoteResult {
  /// Undecided: those who have not voted can still turn it either way.
  PENDING("VotePending"),
  /// A quorum said no, or so many that yes is out of reach.
  LOST("VoteLost"),
  WON("VoteWon");

  private final String etcdName;

  VoteResult(String etcdName) {
    this.etcdName = etcdName;
  }

  @Override
  public String toString() {
    return etcdName;
  }
}
