package dev.kvorum.state.lease;

/// How a request to keep a lease alive came out, on the member that was asked.
public sealed interface Renewal {
  /// @param ttlSeconds the lease lives this long from now
  record Renewed(long ttlSeconds) implements Renewal {}

  enum Refused implements Renewal {
    /// This member does not lead: ask the one that does.
    NOT_PRIMARY,
    NOT_FOUND,
    /// Ran out, and its revocation is under way: wait until that is applied, then it is not found.
    EXPIRED,
    /// A checkpoint shortened it: propose one of 0 seconds, and renew when that is applied.
    CLEAR_CHECKPOINT_FIRST
  }
}
