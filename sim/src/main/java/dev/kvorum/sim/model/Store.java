package dev.kvorum.sim.model;

import dev.kvorum.env.Bytes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// The key space after some operations: what all members must agree on, as values. Immutable.
///
/// Each store knows the one a revision before it, so history is read by walking back.
public final class Store {
  public static final Store EMPTY = new Store(1, -1, new TreeMap<>(), new TreeSet<>(), List.of(), null, 1, 0);

  private final long revision;
  private final long compacted;
  final TreeMap<Bytes, Kv> keys;
  final TreeSet<Long> leases;
  private final List<Change> changes;
  private final @Nullable Store before;
  /// Of how the keys came to be, and of the leases.
  private final long keyPrint;
  private final long leasePrint;

  private Store(
      long revision,
      long compacted,
      TreeMap<Bytes, Kv> keys,
      TreeSet<Long> leases,
      List<Change> changes,
      @Nullable Store before,
      long keyPrint,
      long leasePrint) {
    this.revision = revision;
    this.compacted = compacted;
    this.keys = keys;
    this.leases = leases;
    this.changes = changes;
    this.before = before;
    this.keyPrint = keyPrint;
    this.leasePrint = leasePrint;
  }

  public long revision() {
    return revision;
  }

  /// -1 when nothing was compacted.
  public long compacted() {
    return compacted;
  }

  /// Keys now, in order. Not to be changed.
  public NavigableMap<Bytes, Kv> keys() {
    return keys;
  }

  public boolean hasLease(long id) {
    return leases.contains(id);
  }

  public List<Long> leases() {
    return List.copyOf(leases);
  }

  /// What the last revision did, in order.
  public List<Change> changes() {
    return changes;
  }

  /// A number that differs where the state does, however it was reached.
  public long fingerprint() {
    return mix(mix(keyPrint, leasePrint), compacted);
  }

  /// The store as it was at `wanted`, from 1 to now.
  public Store at(long wanted) {
    Store at = this;
    while (at.revision > wanted) {
      at = java.util.Objects.requireNonNull(at.before);
    }
    return at;
  }

  /// What each revision did, by its number; nothing for 0 and 1.
  public List<List<Change>> history() {
    List<List<Change>> all = new ArrayList<>(Collections.nCopies((int) revision + 1, List.of()));
    for (Store at = this; at != null; at = at.before) {
      all.set((int) at.revision, at.changes);
    }
    return all;
  }

  Store withRevision(TreeMap<Bytes, Kv> newKeys, List<Change> newChanges) {
    return new Store(
        revision + 1, compacted, newKeys, leases, newChanges, this, mix(keyPrint, newChanges.hashCode()), leasePrint);
  }

  Store withCompacted(long at) {
    return new Store(revision, at, keys, leases, changes, before, keyPrint, leasePrint);
  }

  /// The same, had nothing been compacted: a store knows all of its history.
  public Store unforgetting() {
    return withCompacted(-1);
  }

  Store withLease(long id, boolean present) {
    TreeSet<Long> now = new TreeSet<>(leases);
    if (present) {
      now.add(id);
    } else {
      now.remove(id);
    }
    return new Store(revision, compacted, keys, now, changes, before, keyPrint, leasePrint ^ mix(0x1ea5e, id));
  }

  private static long mix(long a, long b) {
    long x = (a ^ (b + 0x9E3779B97F4A7C15L)) * 0xBF58476D1CE4E5B9L;
    return x ^ (x >>> 31);
  }
}
