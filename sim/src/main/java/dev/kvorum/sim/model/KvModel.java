package dev.kvorum.sim.model;

import dev.kvorum.api.EtcdError;
import dev.kvorum.env.Bytes;
import dev.kvorum.state.Compare;
import dev.kvorum.state.Request;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What each operation does to a [Store] and answers: etcd's rules (`apply-semantics.md` §3, `api.md` §3) once more,
/// with nothing in mind but to be plainly right.
public final class KvModel {
  private KvModel() {}

  /// @param after the same object when nothing changed
  public record Step(Store after, Answer answer) {}

  /// A refusal on its way out of a txn.
  private static final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1L;
    final EtcdError error;

    Refusal(EtcdError error) {
      super(error.name(), null, false, false);
      this.error = error;
    }
  }

  public static Step step(Store store, Request request) {
    try {
      return switch (request) {
        case Request.Range range -> new Step(store, range(store, new Draft(store), range, true));
        case Request.Put put -> write(store, put);
        case Request.DeleteRange delete -> write(store, delete);
        case Request.Txn txn -> write(store, txn);
        case Request.Compact compact -> compact(store, compact.revision());
        case Request.LeaseGrant grant -> grant(store, grant.id());
        case Request.LeaseRevoke revoke -> revoke(store, revoke.id());
        default -> throw new IllegalArgumentException("no client asks " + request);
      };
    } catch (Refusal refusal) {
      return new Step(store, new Answer.Refused(refusal.error));
    }
  }

  /// A store being changed under one revision.
  private static final class Draft {
    final Store store;
    final List<Change> changes = new ArrayList<>();
    TreeMap<Bytes, Kv> keys;

    Draft(Store store) {
      this.store = store;
      this.keys = store.keys;
    }

    void set(Bytes key, @Nullable Kv after) {
      if (changes.isEmpty()) {
        keys = new TreeMap<>(keys);
      }
      if (after == null) {
        keys.remove(key);
      } else {
        keys.put(key, after);
      }
      changes.add(new Change(store.revision() + 1, key, after, store.keys.get(key)));
    }

    Store done() {
      return changes.isEmpty() ? store : store.withRevision(keys, List.copyOf(changes));
    }

    long revision() {
      return store.revision() + (changes.isEmpty() ? 0 : 1);
    }
  }

  private static Step write(Store store, Request.Op op) {
    List<Boolean> path = new ArrayList<>();
    decide(store, op, path);
    check(store, op, path.listIterator());
    Draft draft = new Draft(store);
    Answer answer = carryOut(draft, op, path.listIterator(), true);
    return new Step(draft.done(), answer);
  }

  /// Which way each txn met goes, all decided on the state before.
  private static void decide(Store store, Request.Op op, List<Boolean> path) {
    if (op instanceof Request.Txn txn) {
      boolean holds = txn.compares().stream().allMatch(compare -> holds(store, compare));
      path.add(holds);
      (holds ? txn.success() : txn.failure()).forEach(nested -> decide(store, nested, path));
    }
  }

  private static boolean holds(Store store, Compare compare) {
    Collection<Kv> kvs = within(store.keys, compare.key(), compare.rangeEnd()).values();
    if (kvs.isEmpty()) {
      return compare.target() != Compare.Target.VALUE && compare.result().holds(Long.compare(0, compare.number()));
    }
    for (Kv kv : kvs) {
      int sign = switch (compare.target()) {
        case VERSION -> Long.compare(kv.version(), compare.number());
        case CREATE -> Long.compare(kv.create(), compare.number());
        case MOD -> Long.compare(kv.mod(), compare.number());
        case LEASE -> Long.compare(kv.lease(), compare.number());
        case VALUE -> kv.value().compareTo(compare.value());
        case UNKNOWN -> 0;
      };
      if (!compare.result().holds(sign)) {
        return false;
      }
    }
    return true;
  }

  private static void check(Store store, Request.Op op, java.util.Iterator<Boolean> path) {
    switch (op) {
      case Request.Put put -> {
        if (put.lease() != 0 && !store.hasLease(put.lease())) {
          throw new Refusal(EtcdError.LEASE_NOT_FOUND);
        }
        if ((put.ignoreValue() || put.ignoreLease()) && !store.keys.containsKey(put.key())) {
          throw new Refusal(EtcdError.KEY_NOT_FOUND);
        }
      }
      case Request.Range range -> checkRevision(store, range.revision());
      case Request.Txn txn -> {
        for (Request.Op nested : path.next() ? txn.success() : txn.failure()) {
          check(store, nested, path);
        }
      }
      case Request.DeleteRange _, Request.Unset _ -> {}
    }
  }

  private static void checkRevision(Store store, long revision) {
    if (revision > store.revision()) {
      throw new Refusal(EtcdError.FUTURE_REV);
    }
    if (revision > 0 && revision < store.compacted()) {
      throw new Refusal(EtcdError.COMPACTED);
    }
  }

  private static Answer carryOut(Draft draft, Request.Op op, java.util.Iterator<Boolean> path, boolean top) {
    return switch (op) {
      case Request.Range range -> range(draft.store, draft, range, top);
      case Request.Put put -> put(draft, put, top);
      case Request.DeleteRange delete -> delete(draft, delete, top);
      case Request.Txn txn -> {
        boolean succeeded = path.next();
        List<Answer> answers = new ArrayList<>();
        for (Request.Op nested : succeeded ? txn.success() : txn.failure()) {
          answers.add(carryOut(draft, nested, path, false));
        }
        yield new Answer.Txn(top ? draft.revision() : 0, succeeded, List.copyOf(answers));
      }
      case Request.Unset _ -> throw new IllegalArgumentException("no client asks for nothing");
    };
  }

  private static Answer put(Draft draft, Request.Put put, boolean top) {
    Kv before = draft.keys.get(put.key());
    long revision = draft.store.revision() + 1;
    Bytes value = put.ignoreValue() && before != null ? before.value() : put.value();
    long lease = put.ignoreLease() && before != null ? before.lease() : put.lease();
    draft.set(
        put.key(),
        new Kv(
            put.key(),
            value,
            before == null ? revision : before.create(),
            revision,
            before == null ? 1 : before.version() + 1,
            lease));
    return new Answer.Put(top ? revision : 0, put.prevKv() ? before : null);
  }

  private static Answer delete(Draft draft, Request.DeleteRange delete, boolean top) {
    List<Kv> gone = List.copyOf(within(draft.keys, delete.key(), delete.rangeEnd()).values());
    gone.forEach(kv -> draft.set(kv.key(), null));
    return new Answer.Deleted(
        top ? draft.revision() : 0, gone.size(), delete.prevKv() ? gone : List.of());
  }

  /// Reads within a txn see its own changes, unless they ask for a revision.
  private static Answer range(Store store, Draft draft, Request.Range range, boolean top) {
    checkRevision(store, range.revision());
    NavigableMap<Bytes, Kv> keys = range.revision() > 0 ? store.at(range.revision()).keys : draft.keys;
    List<Kv> all = List.copyOf(within(keys, range.key(), range.rangeEnd()).values());
    long revision = top ? draft.revision() : 0;
    if (range.countOnly()) {
      return new Answer.Ranged(revision, List.of(), false, all.size());
    }
    List<Kv> chosen = new ArrayList<>();
    for (Kv kv : all) {
      boolean inBounds =
          (range.minModRevision() == 0 || kv.mod() >= range.minModRevision())
              && (range.maxModRevision() == 0 || kv.mod() <= range.maxModRevision())
              && (range.minCreateRevision() == 0 || kv.create() >= range.minCreateRevision())
              && (range.maxCreateRevision() == 0 || kv.create() <= range.maxCreateRevision());
      if (inBounds) {
        chosen.add(kv);
      }
    }
    sort(chosen, range);
    boolean more = range.limit() > 0 && chosen.size() > range.limit();
    if (more) {
      chosen = chosen.subList(0, (int) range.limit());
    }
    return new Answer.Ranged(
        revision, chosen.stream().map(kv -> range.keysOnly() ? kv.keyOnly() : kv).toList(), more, all.size());
  }

  private static void sort(List<Kv> kvs, Request.Range range) {
    Comparator<Kv> order = switch (range.sortTarget()) {
      case KEY, UNKNOWN -> Comparator.comparing(Kv::key);
      case VERSION -> Comparator.comparingLong(Kv::version);
      case CREATE -> Comparator.comparingLong(Kv::create);
      case MOD -> Comparator.comparingLong(Kv::mod);
      case VALUE -> Comparator.comparing(Kv::value);
    };
    kvs.sort(range.sortOrder() == Request.SortOrder.DESCEND ? order.reversed() : order);
  }

  private static Step compact(Store store, long revision) {
    if (revision <= store.compacted()) {
      throw new Refusal(EtcdError.COMPACTED);
    }
    if (revision > store.revision()) {
      throw new Refusal(EtcdError.FUTURE_REV);
    }
    return new Step(store.withCompacted(revision), new Answer.Compacted(store.revision()));
  }

  private static Step grant(Store store, long id) {
    if (store.hasLease(id)) {
      throw new Refusal(EtcdError.LEASE_EXIST);
    }
    return new Step(store.withLease(id, true), new Answer.Granted(store.revision(), id));
  }

  private static Step revoke(Store store, long id) {
    if (!store.hasLease(id)) {
      throw new Refusal(EtcdError.LEASE_NOT_FOUND);
    }
    Draft draft = new Draft(store);
    for (Kv kv : List.copyOf(store.keys.values())) {
      if (kv.lease() == id) {
        draft.set(kv.key(), null);
      }
    }
    Store after = draft.done().withLease(id, false);
    return new Step(after, new Answer.Revoked(after.revision()));
  }

  /// The keys of `[key, end)` as the wire means it: no end is one key, a zero byte everything from there.
  static NavigableMap<Bytes, Kv> within(NavigableMap<Bytes, Kv> keys, Bytes key, Bytes end) {
    if (end.isEmpty()) {
      return keys.subMap(key, true, key, true);
    }
    if (end.size() == 1 && end.at(0) == 0) {
      return keys.tailMap(key, true);
    }
    return key.compareTo(end) < 0 ? keys.subMap(key, true, end, false) : new TreeMap<>();
  }
}
