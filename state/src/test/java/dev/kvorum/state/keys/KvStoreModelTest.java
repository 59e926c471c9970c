package dev.kvorum.state.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.state.backend.BackendCommit;
import dev.kvorum.state.backend.Defragmentation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jspecify.annotations.Nullable;

/// The store against [NaiveStore] under everything at once: transactions, reads at any revision, batches at any stage
/// of being committed, compactions half done, defragmentation under way, crashes, views held across all of it.
class KvStoreModelTest {
  private static final int ROUNDS = Integer.getInteger("kvorum.rounds", 8);
  private static final int STEPS = 400;

  @TempDir Path directory;

  private long seed;
  private Random random;
  private StoreRig rig;
  private NaiveStore model;
  private @Nullable Defragmentation defragmentation;
  private final TreeMap<Bytes, Long> leaseOf = new TreeMap<>();

  // The log: what each entry does to the store. Entry i has index i + 1.
  private final List<Consumer<KvStore>> log = new ArrayList<>();
  private final List<KvView> held = new ArrayList<>();

  private final LeaseBinding leases =
      new LeaseBinding() {
        @Override
        public long leaseOf(Bytes key) {
          return leaseOf.getOrDefault(key, 0L);
        }

        @Override
        public void attach(long lease, Bytes key) {
          assertThat(leaseOf.put(key, lease)).isNull();
        }

        @Override
        public void detach(long lease, Bytes key) {
          assertThat(leaseOf.remove(key)).isEqualTo(lease);
        }
      };

  @Test
  void theStoreAgreesWithAListOfAllChangesWhateverHappensInBetween() throws IOException {
    Long given = Long.getLong("kvorum.seed");
    for (int round = 0; round < (given == null ? ROUNDS : 1); round++) {
      seed = given == null ? System.nanoTime() : given;
      try {
        run(directory.resolve("db" + round));
      } catch (Throwable e) {
        throw new AssertionError("rerun with -Dkvorum.seed=" + seed, e);
      }
    }
  }

  private void run(Path file) throws IOException {
    random = new Random(seed);
    model = new NaiveStore();
    log.clear();
    held.clear();
    leaseOf.clear();
    defragmentation = null;
    java.nio.file.Files.createDirectories(file);
    rig = new StoreRig(file.resolve("db"), leases);
    for (int i = 0; i < STEPS; i++) {
      step();
    }
    checkAll();
    held.forEach(KvView::release);
    rig.close();
  }

  private void step() throws IOException {
    switch (random.nextInt(20)) {
      case 0, 1, 2, 3, 4, 5, 6 -> transact();
      case 7, 8, 9 -> checkRange(null);
      case 10 -> rig.take();
      case 11 -> rig.write();
      case 12 -> rig.install();
      case 13 -> {
        if (random.nextInt(4) == 0) {
          compact();
        } else {
          stepCompaction();
        }
      }
      case 14 -> stepCompaction();
      case 15 -> checkHash();
      case 16 -> checkEvents();
      case 17 -> holdOrRelease();
      case 18 -> defragment();
      default -> {
        if (random.nextInt(5) == 0) {
          crash();
        } else {
          rig.store.checkInvariants();
        }
      }
    }
  }

  // ---- Changes ----

  private Bytes key() {
    int n = random.nextInt(40);
    return Bytes.utf8(n % 7 == 0 ? "k" : n % 5 == 0 ? "k" + n + "/deep" : "k" + n);
  }

  private KeyRange range() {
    return switch (random.nextInt(6)) {
      case 0, 1 -> KeyRange.single(key());
      case 2 -> KeyRange.from(key());
      case 3 -> KeyRange.all();
      case 4 -> KeyRange.prefix(key());
      default -> KeyRange.range(key(), key());
    };
  }

  private void transact() throws CorruptionException {
    List<Consumer<KvTxn>> ops = new ArrayList<>();
    long main = model.current + 1;
    int sub = 0;
    for (int i = random.nextInt(random.nextBoolean() ? 2 : 6); i >= 0; i--) {
      if (random.nextInt(4) == 0) {
        KeyRange range = range();
        sub += model.deleteRange(main, sub, range);
        ops.add(txn -> txn.deleteRange(range));
      } else {
        Bytes key = key();
        Bytes value = Bytes.utf8("v".repeat(random.nextInt(30)) + random.nextInt());
        long lease = random.nextInt(3) == 0 ? random.nextInt(3) : 0;
        boolean again = model.rows.stream().anyMatch(row -> row.main() == main && row.key().equals(key));
        if (!again) {
          model.put(main, sub++, key, value, lease);
          ops.add(txn -> txn.put(key, value, lease));
        }
      }
    }
    model.current += sub > 0 ? 1 : 0;
    apply(store -> transact(store, ops));
    rig.store.publish();
  }

  private static void transact(KvStore store, List<Consumer<KvTxn>> ops) {
    KvTxn txn = store.begin();
    ops.forEach(op -> op.accept(txn));
    txn.end();
  }

  private void apply(Consumer<KvStore> entry) {
    log.add(entry);
    rig.backend.batch().applied(log.size(), 3);
    entry.accept(rig.store);
    assertThat(rig.store.currentRevision()).isEqualTo(model.current);
  }

  private void compact() {
    long rev = revision();
    EtcdError refusal =
        rev <= model.compacted ? EtcdError.COMPACTED : rev > model.current ? EtcdError.FUTURE_REV : null;
    apply(
        store -> {
          if (refusal == null) {
            store.compact(rev);
          } else {
            assertThatThrownBy(() -> store.compact(rev))
                .isInstanceOfSatisfying(EtcdException.class, e -> assertThat(e.error()).isEqualTo(refusal));
          }
        });
    model.compacted = refusal == null ? rev : model.compacted;
    rig.store.publish();
  }

  private void stepCompaction() throws IOException {
    rig.stepCompaction(1 + random.nextInt(2), 1 + random.nextInt(20));
  }

  private void crash() throws IOException {
    defragmentation = null;
    held.forEach(KvView::release);
    held.clear();
    rig.crashAndReopen();
    leaseOf.clear();
    rig.store.takeRestoredLeases().forEach(lease -> leaseOf.put(lease.key(), lease.lease()));
    NaiveStore whole = model;
    for (int i = (int) rig.backend.committedIndex(); i < log.size(); i++) {
      rig.backend.batch().applied(i + 1, 3);
      log.get(i).accept(rig.store);
      if (random.nextInt(9) == 0) {
        rig.take();
      }
    }
    rig.store.publish();
    assertThat(rig.store.currentRevision()).isEqualTo(whole.current);
    assertThat(rig.store.compactRevision()).isEqualTo(whole.compacted);
    checkAll();
  }

  private void defragment() throws IOException {
    if (defragmentation == null && random.nextInt(3) == 0) {
      defragmentation = rig.backend.beginDefragmentation();
    } else if (defragmentation != null) {
      BackendCommit commit = defragmentation.step(1 + random.nextInt(60), 1 << 20);
      if (commit != null) {
        defragmentation = null;
        while (rig.install()) {
          // commits are installed in the order they were made
        }
        rig.store.committed(commit);
      }
    }
  }

  private void holdOrRelease() throws IOException {
    if (held.size() < 5 && random.nextBoolean()) {
      held.add(rig.store.view());
    } else if (!held.isEmpty()) {
      KvView view = held.remove(random.nextInt(held.size()));
      try (view) {
        checkRange(view);
      }
    }
  }

  // ---- Reads ----

  private long revision() {
    long low = Math.max(-1, model.compacted - 2);
    return low + random.nextInt((int) (model.current - low) + 3);
  }

  private void checkAll() throws IOException {
    rig.store.checkInvariants();
    try (KvView view = rig.store.view()) {
      RangeResult result = view.range(KeyRange.all(), RangeOptions.LATEST);
      assertThat(result.kvs()).isDeepEqualTo(records(model.live(KeyRange.all(), model.current)));
      TreeMap<Bytes, Long> expected = new TreeMap<>();
      model.live(KeyRange.all(), model.current).stream()
          .filter(row -> row.lease() != 0)
          .forEach(row -> expected.put(row.key(), row.lease()));
      assertThat(leaseOf).isEqualTo(expected);
    }
    checkHash();
    checkEvents();
  }

  private static byte[][] records(List<NaiveStore.Row> rows) {
    return rows.stream().map(NaiveStore.Row::record).toArray(byte[][]::new);
  }

  private void checkRange(@Nullable KvView given) throws CorruptionException {
    KvView view = given == null ? rig.store.view() : given.retain();
    try (view) {
      KeyRange range = range();
      long rev = revision();
      long limit = random.nextInt(3) == 0 ? 1 + random.nextInt(10) : 0;
      boolean keysOnly = random.nextInt(4) == 0;
      RangeOptions options = RangeOptions.LATEST.at(rev).limit(limit).keysOnly(keysOnly);
      long effective = rev <= 0 ? view.currentRevision() : rev;
      if (rev > view.currentRevision()) {
        assertRefused(() -> view.range(range, options), EtcdError.FUTURE_REV);
      } else if (effective < view.compactRevision()) {
        assertRefused(() -> view.range(range, options), EtcdError.COMPACTED);
      } else {
        check(view, range, options, model.live(range, effective));
      }
    }
  }

  private void check(KvView view, KeyRange range, RangeOptions options, List<NaiveStore.Row> expected)
      throws CorruptionException {
    RangeResult result = view.range(range, options);
    assertThat(result.count()).isEqualTo(expected.size());
    assertThat(view.count(range, options.revision())).isEqualTo(expected.size());
    assertThat(view.range(range, options.counting()).count()).isEqualTo(expected.size());
    assertThat(result.revision()).isEqualTo(view.currentRevision());
    boolean cut = options.limit() > 0 && expected.size() > options.limit();
    assertThat(result.more()).isEqualTo(cut);
    List<NaiveStore.Row> shown = cut ? expected.subList(0, (int) options.limit()) : expected;
    byte[][] records =
        options.keysOnly()
            ? shown.stream()
                .map(row -> StoredKv.encode(row.key().array(), row.created(), row.main(), row.version(), new byte[0], 0))
                .toArray(byte[][]::new)
            : records(shown);
    assertThat(result.kvs()).isDeepEqualTo(records);
    for (NaiveStore.Row row : shown) {
      assertThat(view.get(row.key(), options.revision())).isEqualTo(row.record());
    }
  }

  private static void assertRefused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, EtcdError error) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(EtcdException.class, e -> assertThat(e.error()).isEqualTo(error));
  }

  private void checkHash() throws IOException {
    try (KvView view = rig.store.view()) {
      long rev = revision();
      if (rev > 0 && rev < model.compacted) {
        assertRefused(() -> view.hashByRevision(rev), EtcdError.COMPACTED);
        return;
      }
      if (rev > model.current) {
        assertRefused(() -> view.hashByRevision(rev), EtcdError.FUTURE_REV);
        return;
      }
      KvHash hash = view.hashByRevision(rev);
      long asked = rev == 0 ? model.current : rev;
      assertThat(hash.revision()).isEqualTo(asked);
      boolean timingDecides = model.keep(asked, false).isEmpty() && model.compacted > 0;
      if (hash.compactRevision() == model.compacted && !timingDecides) {
        assertThat(hash.hash()).isEqualTo(model.hash(asked, model.compacted, null));
      }
    }
  }

  private void checkEvents() throws IOException {
    try (KvView view = rig.store.view()) {
      long from = Math.max(0, revision());
      if (from < model.compacted) {
        assertRefused(() -> view.events(from, Long.MAX_VALUE, 100, null), EtcdError.COMPACTED);
        return;
      }
      List<NaiveStore.Row> expected = model.rows.stream().filter(row -> row.main() >= from).toList();
      List<Event> events = new ArrayList<>();
      for (long next = from; next <= model.current; ) {
        EventBatch batch = view.events(next, Long.MAX_VALUE, 1 + random.nextInt(5), null);
        assertThat(batch.nextRevision()).isGreaterThan(next);
        events.addAll(batch.events());
        next = batch.nextRevision();
      }
      assertThat(events).hasSameSizeAs(expected);
      for (int i = 0; i < events.size(); i++) {
        check(view, events.get(i), expected.get(i));
      }
    }
  }

  private void check(KvView view, Event event, NaiveStore.Row row) throws CorruptionException {
    assertThat(event.key()).isEqualTo(row.key());
    assertThat(event.main()).isEqualTo(row.main());
    assertThat(event.sub()).isEqualTo(row.sub());
    assertThat(event.type()).isEqualTo(row.tombstone() ? Event.Type.DELETE : Event.Type.PUT);
    assertThat(event.isCreate()).isEqualTo(row.version() == 1);
    StoredKv kv = StoredKv.decode(event.kv());
    assertThat(kv.modRevision()).isEqualTo(row.main());
    assertThat(kv.value()).isEqualTo(row.value());
    NaiveStore.Row before = row.main() - 1 < view.compactRevision() ? null : model.get(row.key(), row.main() - 1);
    byte[] previous = view.previous(event);
    assertThat(previous).isEqualTo(before == null ? null : before.record());
  }
}
