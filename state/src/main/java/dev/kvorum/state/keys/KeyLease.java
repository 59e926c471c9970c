package dev.kvorum.state.keys;

import dev.kvorum.env.Bytes;

/// A key and the lease its newest put carries, found when the store was opened.
public record KeyLease(Bytes key, long lease) {}
