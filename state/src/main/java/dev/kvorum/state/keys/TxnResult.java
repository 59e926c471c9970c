package dev.kvorum.state.keys;

import java.util.List;

/// What a write transaction came to.
///
/// @param revision the store's revision after it: one higher than before if it changed anything
/// @param events its changes in order; empty if there were none
public record TxnResult(long revision, List<Event> events) {}
