package dev.kvorum.raft;

/// What a member must not forget: its term, whom it voted for in it (0: nobody), and how far it knew the log committed.
public record HardState(long term, long vote, long commit) {
  public static final HardState EMPTY = new HardState(0, 0, 0);

  public boolean isEmpty() {
    return equals(EMPTY);
  }
}
