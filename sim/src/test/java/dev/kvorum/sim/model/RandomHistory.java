package dev.kvorum.sim.model;

import dev.kvorum.env.Bytes;
import dev.kvorum.state.Compare;
import dev.kvorum.state.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What many clients may have heard of a store that does everything right.
final class RandomHistory {
  private final long seed;
  private final SplittableRandom random;
  private final List<Operation> operations = new ArrayList<>();
  private Store store = Store.EMPTY;

  /// A request on its way: asked, then carried out, then answered.
  private record Pending(int client, Request request, long asked, long happens, long answered) {}

  static long seed() {
    return Long.getLong("kvorum.seed", new Random().nextLong());
  }

  RandomHistory(long seed, int clients, int count) {
    this.seed = seed;
    this.random = new SplittableRandom(seed);
    PriorityQueue<Pending> pending =
        new PriorityQueue<>(java.util.Comparator.comparingLong(Pending::happens).thenComparing(Pending::client));
    for (int client = 0; client < clients; client++) {
      pending.add(next(client, random.nextLong(1_000)));
    }
    for (int made = 0; made < count; made++) {
      Pending one = pending.remove();
      boolean lost = random.nextInt(100) == 0;
      if (lost && random.nextBoolean()) {
        operations.add(Operation.unknown(one.client(), one.request(), one.asked()));
      } else {
        KvModel.Step step = KvModel.step(store, one.request());
        store = step.after();
        operations.add(
            lost
                ? Operation.unknown(one.client(), one.request(), one.asked())
                : new Operation(one.client(), one.request(), one.asked(), one.answered(), step.answer()));
      }
      pending.add(next(one.client(), one.answered() + 1 + random.nextLong(200)));
    }
  }

  long drawnFrom() {
    return seed;
  }

  List<Operation> operations() {
    return operations;
  }

  /// What a watcher of everything saw.
  Map<Long, List<Change>> seen() {
    Map<Long, List<Change>> seen = new TreeMap<>();
    for (long revision = 2; revision <= store.revision(); revision++) {
      seen.put(revision, store.at(revision).changes());
    }
    return seen;
  }

  private Pending next(int client, long at) {
    long happens = at + random.nextLong(1_000);
    return new Pending(client, request(), at, happens, happens + random.nextLong(1_000));
  }

  private Bytes key() {
    return Bytes.utf8("k" + random.nextInt(20));
  }

  private Request request() {
    return switch (random.nextInt(12)) {
      case 0, 1, 2, 3 -> put();
      case 4, 5, 6 -> Request.Range.of(key(), random.nextBoolean() ? Bytes.EMPTY : key());
      case 7 -> Request.DeleteRange.of(key(), Bytes.EMPTY);
      case 8 -> new Request.LeaseGrant(60, 1 + random.nextInt(5));
      case 9 -> new Request.LeaseRevoke(1 + random.nextInt(5));
      case 10 -> random.nextInt(20) == 0 ? new Request.Compact(store.revision() - 10, false) : put();
      default ->
          new Request.Txn(
              List.of(Compare.version(key(), Compare.Result.GREATER, random.nextInt(3))),
              List.of(put()),
              List.of(Request.Range.of(key(), Bytes.EMPTY)));
    };
  }

  private Request.Put put() {
    long lease = random.nextInt(6) == 0 ? 1 + random.nextInt(5) : 0;
    return new Request.Put(key(), Bytes.utf8("v" + random.nextLong()), lease, random.nextBoolean(), false, false);
  }

  /// The same with one read answered as it never was.
  List<Operation> spoilt() {
    List<Operation> spoilt = new ArrayList<>(operations);
    int at = random.nextInt(spoilt.size() / 2);
    while (true) {
      Operation operation = spoilt.get(at);
      Answer answer = wrong(operation.answer());
      if (answer != null) {
        spoilt.set(
            at,
            new Operation(
                operation.client(), operation.request(), operation.invokedNanos(), operation.returnedNanos(), answer));
        return spoilt;
      }
      at++;
    }
  }

  private static @Nullable Answer wrong(@Nullable Answer answer) {
    if (answer instanceof Answer.Ranged ranged && !ranged.kvs().isEmpty()) {
      List<Kv> kvs = new ArrayList<>(ranged.kvs());
      Kv kv = kvs.getLast();
      kvs.set(
          kvs.size() - 1, new Kv(kv.key(), kv.value(), kv.create(), kv.mod(), kv.version() + 1, kv.lease()));
      return new Answer.Ranged(ranged.revision(), kvs, ranged.more(), ranged.count());
    }
    return null;
  }
}
