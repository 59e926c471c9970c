package dev.kvorum.member;

/// How much is done at a time of what would hold others up if it were done at once, and how much may wait. All are
/// positive. Smaller ones cost speed only: the simulator draws them, so that few keys come to many steps.
///
/// @param defragmentKeys copied in a step of a defragmentation
/// @param indexLeaves of the key index compacted between two turns of applying, which wait for it
/// @param historyRevisions read at once for watchers that are behind; etcd puts as many into a response at most
/// @param prunedEntries applied between two prunings of raft's log in memory, if they are small
/// @param watchResponses in a stream's outbox beyond which its watchers fall behind
public record Strides(int defragmentKeys, int indexLeaves, int historyRevisions, int prunedEntries, int watchResponses) {
  public static final Strides DEFAULT = new Strides(2_000, 16, 1_000, 100, 128);
}
