package dev.kvorum.raft;

/// How a step ended. Refusals are values: they are frequent while there is no leader, and must stay cheap.
public enum StepResult {
  /// Taken. For a proposal this promises nothing about commitment.
  OK(""),
  /// The proposal was not appended and not forwarded; it may be proposed again.
  PROPOSAL_DROPPED("raft proposal dropped"),
  /// A message that is only ever local came from another node.
  LOCAL_MESSAGE("raft: cannot step raft local message"),
  /// A response came from a node that is not a member.
  PEER_NOT_FOUND("raft: cannot step as peer not found");

  private final String text;

  StepResult(String text) {
    this.text = text;
  }

  public boolean isOk() {
    return this == OK;
  }

  /// etcd raft's error text; empty for [#OK].
  public String text() {
    return text;
  }
}
