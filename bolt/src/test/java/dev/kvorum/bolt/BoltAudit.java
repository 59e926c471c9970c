package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;

/// What must hold of an open file between transactions.
final class BoltAudit {
  private BoltAudit() {}

  /// Each page is a meta, reachable from the newest state, of its list of free pages, free, or pending: one of these.
  static void check(Bolt bolt) throws Exception {
    try (ReadTx tx = bolt.beginRead()) {
      PageSet used = PageWalk.reachable(tx.pages(), tx.meta().root());
      used.add(0);
      used.add(1);
      if (tx.meta().hasFreelist()) {
        int span = FreelistPage.read(tx.pages(), tx.meta().freelist(), id -> {});
        for (long id = tx.meta().freelist(); id < tx.meta().freelist() + span; id++) {
          if (!used.add(id)) {
            throw new AssertionError("page " + id + " of the list has another use");
          }
        }
      }
      bolt.pendingPages().addTo(used);
      for (long id = 0; id < tx.meta().pageCount(); id++) {
        if (used.contains(id) == bolt.freePages().contains(id)) {
          throw new AssertionError("page " + id + " is " + (used.contains(id) ? "used and free" : "lost"));
        }
      }
      assertThat(bolt.freePages().size() + used.size()).isEqualTo(tx.meta().pageCount());
      assertThat(bolt.freePages().next(tx.meta().pageCount())).isEqualTo(-1);
    }
  }
}
