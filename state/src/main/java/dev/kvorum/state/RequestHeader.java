package dev.kvorum.state;

/// Who asked, as the proposer wrote it into the entry.
///
/// @param id the proposer's request id, never 0; a waiter may be parked under it (`apply-semantics.md` §1.1)
/// @param username whom the proposer authenticated; empty when authentication is off
/// @param authRevision the auth revision the proposer's check was made at; 0 when authentication is off
public record RequestHeader(long id, String username, long authRevision) {
  /// A header without identity, as when authentication is off.
  public static RequestHeader of(long id) {
    return new RequestHeader(id, "", 0);
  }
}
