package dev.kvorum.member.watch;

import dev.kvorum.member.MemoryBudget;
import java.util.concurrent.atomic.AtomicLong;

/// What all watch streams together may hold of memory: the window of history being read, responses in outboxes, and
/// responses that the network has not taken yet.
///
/// A quarter of the budget, or half of that while other answers leave no room. A response that takes more than half of
/// the share, however large, goes out once the others hold no more than the other half. So one stream at least always
/// gets on, and the others have their turn as it does.
///
/// Only the watch loop takes; anyone gives back. Hence what [#has] has found is there until it is taken.
final class WatchRoom {
  private static final int SHARE_PARTS = 4;

  private final MemoryBudget memory;
  private final Runnable whenRoom;
  private final AtomicLong held = new AtomicLong();
  /// What the first who waits for room needs; to be read after `wanted`.
  private long wantedBytes;
  private volatile boolean wanted;

  /// @param whenRoom called by whoever gives back what somebody waits for; must not block
  WatchRoom(MemoryBudget memory, Runnable whenRoom) {
    this.memory = memory;
    this.whenRoom = whenRoom;
  }

  long shareBytes() {
    long share = memory.limitBytes() / SHARE_PARTS;
    return memory.hasRoomForAnswers() ? share : share / 2;
  }

  /// What could be taken now.
  long freeBytes() {
    return Math.max(0, shareBytes() - held.get());
  }

  boolean has(long bytes) {
    return bytes <= fitting();
  }

  /// The most bytes there is room for.
  long fitting() {
    long share = shareBytes();
    long now = held.get();
    return now <= share - share / 2 ? Long.MAX_VALUE : share - now;
  }

  /// Takes what [#has] has found room for, or what has its own bound.
  void take(long bytes) {
    held.addAndGet(bytes);
    memory.force(bytes);
  }

  /// Any thread.
  void give(long bytes) {
    if (bytes == 0) {
      return;
    }
    memory.give(bytes);
    held.addAndGet(-bytes);
    if (wanted && has(wantedBytes)) {
      wanted = false;
      whenRoom.run();
    }
  }

  /// The same, and if not, `whenRoom` will be called when there is.
  boolean hasOrAwaits(long bytes) {
    if (!has(bytes)) {
      wantedBytes = bytes;
      wanted = true;
      if (!has(bytes)) { // else given back between the test and the flag
        return false;
      }
    }
    wanted = false;
    return true;
  }

  /// Whether somebody waits for what others hold. Any thread.
  boolean isShort() {
    return wanted;
  }
}
