package dev.kvorum.raft;

/// What tests outside this package may reach, and users may not.
public final class Backdoor {
  private Backdoor() {}

  /// Forces the current election timeout; the next change of role draws another.
  public static void forceElectionTimeout(RawNode node, int ticks) {
    node.forceElectionTimeout(ticks);
  }

  /// A Go string literal, as transcripts print data.
  public static String quote(byte[] bytes) {
    return Texts.quote(bytes);
  }

  /// The term at `index` of the node's log, saved or not; -1 when it is compacted away or not there.
  public static long term(RawNode node, long index) {
    return node.term(index);
  }
}
