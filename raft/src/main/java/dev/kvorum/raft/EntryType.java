package dev.kvorum.raft;

/// What a log entry carries; ordinals are the numbers of etcd's `raftpb.EntryType`.
public enum EntryType {
  NORMAL,
  CONF_CHANGE,
  CONF_CHANGE_V2
}
