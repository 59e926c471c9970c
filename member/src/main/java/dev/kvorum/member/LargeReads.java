package dev.kvorum.member;

import dev.kvorum.api.EtcdException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/// Lets a few large reads go on at a time, and the others wait in the order they came.
///
/// A read that goes on holds [#SLOT_BYTES] of the memory budget, however large its answer is: the piece being made, and
/// what the network has not taken yet. A hundred clients that list everything at once so take turns, and each turn is
/// as fast as one client alone; more than [#WAITING_MAX] that wait are refused. Any thread.
final class LargeReads {
  /// A piece as records, the same encoded, and up to two in the network's buffers.
  static final long SLOT_BYTES = 4L << 20;

  private static final int SLOTS_MAX = 16;
  private static final int WAITING_MAX = 4_096;

  private final MemoryBudget memory;
  private final int slots;
  private final ConcurrentLinkedQueue<Read> queue = new ConcurrentLinkedQueue<>();
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicInteger running = new AtomicInteger();

  /// A read that has its turn once.
  interface Read {
    /// Its turn has come; it must call [LargeReads#ended] later, once.
    void begin();

    /// Whether nobody waits for it any more: its turn is then passed over.
    boolean isCancelled();

    void refuse(EtcdException why);
  }

  LargeReads(MemoryBudget memory) {
    this.memory = memory;
    this.slots = (int) Math.clamp(memory.limitBytes() / 4 / SLOT_BYTES, 1, SLOTS_MAX);
  }

  void submit(Read read) {
    if (waiting.incrementAndGet() > WAITING_MAX) {
      waiting.decrementAndGet();
      read.refuse(MemoryBudget.refusal());
      return;
    }
    queue.add(read);
    beginNext();
  }

  /// A read that had begun gives up its turn.
  void ended() {
    memory.give(SLOT_BYTES);
    running.decrementAndGet();
    beginNext();
  }

  private void beginNext() {
    while (!queue.isEmpty()) {
      int now = running.get();
      if (now >= slots) {
        return; // whoever ends comes here again
      }
      if (running.compareAndSet(now, now + 1)) {
        Read next = queue.poll();
        if (next == null || next.isCancelled()) {
          waiting.addAndGet(next == null ? 0 : -1);
          running.decrementAndGet();
        } else {
          waiting.decrementAndGet();
          memory.force(SLOT_BYTES); // a quarter of the budget at most
          next.begin();
        }
      }
    }
  }

  /// Reads that wait for their turn.
  int waiting() {
    return waiting.get();
  }

  int running() {
    return running.get();
  }
}
