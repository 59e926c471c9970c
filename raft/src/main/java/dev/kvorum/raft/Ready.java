package dev.kvorum.raft;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the application must do now: save, send, apply. Without asynchronous storage writes, in this order:
///
/// 1. save `entries`, `hardState` and `snapshot` (if any of them is there), synced if `mustSync`;
/// 2. send `messages` (a leader may send before it saves: Raft thesis §10.2.1; a follower may not);
/// 3. apply `snapshot` and `committedEntries`;
/// 4. call [RawNode#advance].
///
/// With them, `messages` holds everything: do what its [Message.StorageAppend] and [Message.StorageApply] say, each
/// kind in order, and step their responses.
///
/// @param softState null when unchanged since the last Ready
/// @param hardState [HardState#EMPTY] when unchanged
/// @param readStates answered reads, in order of their requests
/// @param entries to save, possibly overwriting earlier ones from the first index on
/// @param snapshot to save and load, empty when none; never together with entries
/// @param committedEntries to apply, in order
/// @param mustSync whether anything saved must be durable before messages leave
public record Ready(
    @Nullable SoftState softState,
    HardState hardState,
    List<ReadState> readStates,
    List<Entry> entries,
    Snapshot snapshot,
    List<Entry> committedEntries,
    List<Message> messages,
    boolean mustSync) {
  public Ready {
    readStates = List.copyOf(readStates);
    entries = Entries.frozen(entries);
    committedEntries = Entries.frozen(committedEntries);
    messages = List.copyOf(messages);
  }
}
