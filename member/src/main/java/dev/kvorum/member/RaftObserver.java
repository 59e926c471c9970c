package dev.kvorum.member;

/// Hears, on the raft loop, what the outside wants to know of elections.
interface RaftObserver {
  void leaderChanged(long from, long to, long term);
}
