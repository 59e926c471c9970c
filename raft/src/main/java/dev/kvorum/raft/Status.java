package dev.kvorum.raft;

import dev.kvorum.raft.tracker.Configuration;
import dev.kvorum.raft.tracker.Progress;
import java.util.SortedMap;

/// A picture of a node, immutable.
///
/// @param leadTransferee the node leadership is being handed to, 0 when none
/// @param progress what a leader knows of each member, itself included, ascending by unsigned id; empty elsewhere
public record Status(
    long id,
    HardState hardState,
    SoftState softState,
    long applied,
    long leadTransferee,
    Configuration configuration,
    SortedMap<Long, Progress.View> progress) {
  public long term() {
    return hardState.term();
  }

  public long vote() {
    return hardState.vote();
  }

  public long commit() {
    return hardState.commit();
  }

  public long lead() {
    return softState.lead();
  }

  public RaftState state() {
    return softState.state();
  }
}
