package dev.kvorum.raft;

import dev.kvorum.env.Bytes;

/// The answer to [RawNode#readIndex]: the read named `context` may be served once `index` is applied.
public record ReadState(long index, Bytes context) {}
