package dev.kvorum.member;

import dev.kvorum.api.EtcdException;
import dev.kvorum.state.ApplyOutcome;

/// The proposer of an entry, waiting. One of the two is called, once, on the loop that knows: never blocks.
interface Waiter {
  /// The entry was applied here; the outcome may be a refusal of its own.
  void applied(ApplyOutcome outcome);

  /// It was not taken, or nothing was heard of it in time; in the latter case it may still be applied.
  void refused(EtcdException why);
}
