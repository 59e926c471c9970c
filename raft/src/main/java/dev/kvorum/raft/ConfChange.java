package dev.kvorum.raft;

import dev.kvorum.env.Bytes;
import java.util.List;

/// A proposed change of configuration: the single change etcd proposes (V1), or several at once (V2).
public sealed interface ConfChange {
  /// Opaque to raft; etcd puts the member's JSON here.
  Bytes context();

  /// Ordinals are the numbers of etcd's `raftpb.ConfChangeType`.
  enum Type {
    ADD_NODE,
    REMOVE_NODE,
    UPDATE_NODE,
    ADD_LEARNER_NODE
  }

  /// Ordinals are the numbers of etcd's `raftpb.ConfChangeTransition`.
  enum Transition {
    AUTO,
    JOINT_IMPLICIT,
    JOINT_EXPLICIT
  }

  /// One step of a V2 change. Node id 0 makes it a no-op.
  record Single(Type type, long nodeId) {}

  /// @param id the proposer's request id; raft ignores it
  record V1(long id, Type type, long nodeId, Bytes context) implements ConfChange {}

  record V2(Transition transition, List<Single> changes, Bytes context) implements ConfChange {
    public V2 {
      changes = List.copyOf(changes);
    }
  }
}
