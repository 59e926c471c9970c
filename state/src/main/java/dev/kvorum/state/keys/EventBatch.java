package dev.kvorum.state.keys;

import java.util.List;

/// A stretch of history in order of revision. Revisions are whole: all events of one, or none.
///
/// @param nextRevision where to go on: the first revision not looked at
public record EventBatch(List<Event> events, long nextRevision) {}
