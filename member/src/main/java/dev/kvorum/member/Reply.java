package dev.kvorum.member;

import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Invariant;

/// Where the one answer to a request goes. Exactly one of the two is called, once, from any thread; neither blocks.
///
/// An answer too large to be held is given in pieces instead, if whoever waits [#takesPieces]: then [#inPieces] takes the
/// place of the two.
public interface Reply<T> {
  void complete(T answer);

  void refuse(EtcdException why);

  /// Whether an answer may come in pieces; else it is made whole, whatever memory that takes.
  default boolean takesPieces() {
    return false;
  }

  /// Begins an answer of `sizeBytes` that comes in pieces, as fast as the peer reads them.
  default StreamReply<T> inPieces(int sizeBytes) {
    throw Invariant.unreachable("this caller wants its answer whole");
  }

  /// True once nobody waits any more.
  default boolean isCancelled() {
    return false;
  }
}
