package dev.kvorum.raft;

import dev.kvorum.env.Bytes;

/// A founding member. `context` rides in its conf change entry; etcd puts the member's JSON there.
public record Peer(long id, Bytes context) {}
