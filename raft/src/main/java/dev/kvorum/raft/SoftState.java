package dev.kvorum.raft;

/// What changes without being written down: who leads (0: nobody known) and what this node is.
public record SoftState(long lead, RaftState state) {}
