package dev.kvorum.sim.client;

import dev.kvorum.env.Bytes;
import dev.kvorum.state.Compare;
import dev.kvorum.state.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// What clients ask: a mix that is drawn once per run, over few keys, so that requests meet.
public final class Requests {
  private final int keys;
  private final int valueBytesMax;
  private final int[] weights = new int[10];
  private final int weightSum;
  private long made;

  public Requests(SplittableRandom random, int keys, int valueBytesMax) {
    this.keys = keys;
    this.valueBytesMax = valueBytesMax;
    int sum = 0;
    for (int i = 0; i < weights.length; i++) {
      weights[i] = random.nextInt(4) == 0 ? 0 : 1 + random.nextInt(10);
      sum += weights[i];
    }
    weights[0] += 4;
    weights[1] += 3;
    weightSum = sum + 7;
  }

  static boolean isSerializable(Request request) {
    return request instanceof Request.Range range && range.serializable()
        || request instanceof Request.Txn txn && txn.readOnly() && txn.serializable();
  }

  Request next(SplittableRandom random, int client, long newestRevision) {
    int at = random.nextInt(weightSum);
    int kind = 0;
    while (at >= weights[kind]) {
      at -= weights[kind++];
    }
    return switch (kind) {
      case 0 -> put(random, client, key(random));
      case 1 -> range(random, newestRevision, false);
      case 2 -> range(random, newestRevision, true);
      case 3 -> delete(random, key(random));
      case 4, 5 -> txn(random, client, newestRevision, 2);
      case 6 -> readOnlyTxn(random, newestRevision);
      case 7 -> new Request.LeaseGrant(2 + random.nextInt(20), leaseId(random));
      case 8 -> new Request.LeaseRevoke(leaseId(random));
      default ->
          newestRevision > 20 && random.nextInt(6) == 0
              ? new Request.Compact(Math.max(2, newestRevision - random.nextInt(100)), random.nextBoolean())
              : put(random, client, key(random));
    };
  }

  private static long leaseId(SplittableRandom random) {
    return 1 + random.nextInt(6);
  }

  private Bytes key(SplittableRandom random) {
    return Bytes.utf8("k%02d".formatted(random.nextInt(keys)));
  }

  private Bytes end(SplittableRandom random) {
    return switch (random.nextInt(4)) {
      case 0, 1 -> Bytes.EMPTY;
      case 2 -> Bytes.wrap(new byte[] {0});
      default -> key(random);
    };
  }

  /// No two values are the same.
  private Bytes value(SplittableRandom random, int client) {
    String unique = "c" + client + "-" + made++;
    return Bytes.utf8(unique + ".".repeat(random.nextInt(valueBytesMax)));
  }

  private Request.Put put(SplittableRandom random, int client, Bytes key) {
    long lease = random.nextInt(6) == 0 ? leaseId(random) : 0;
    return switch (random.nextInt(12)) {
      case 0 -> new Request.Put(key, Bytes.EMPTY, lease, random.nextBoolean(), true, false);
      case 1 -> new Request.Put(key, value(random, client), 0, random.nextBoolean(), false, true);
      default -> new Request.Put(key, value(random, client), lease, random.nextBoolean(), false, false);
    };
  }

  /// Keeps nothing: what keeps a value deleted in the same txn is refused by its looks.
  private Request.Put plainPut(SplittableRandom random, int client, Bytes key) {
    long lease = random.nextInt(8) == 0 ? leaseId(random) : 0;
    return new Request.Put(key, value(random, client), lease, random.nextBoolean(), false, false);
  }

  private Request.DeleteRange delete(SplittableRandom random, Bytes key) {
    Bytes end = random.nextInt(4) == 0 ? key(random) : Bytes.EMPTY;
    return new Request.DeleteRange(key, end, random.nextBoolean());
  }

  private Request.Range range(SplittableRandom random, long newestRevision, boolean serializable) {
    long revision =
        random.nextInt(4) == 0 ? Math.max(1, newestRevision + 3 - random.nextInt(60)) : 0;
    Request.SortOrder order = random.nextInt(4) == 0 ? Request.SortOrder.DESCEND : Request.SortOrder.NONE;
    Request.SortTarget target =
        order == Request.SortOrder.DESCEND && random.nextBoolean() ? Request.SortTarget.VALUE : Request.SortTarget.KEY;
    boolean bounded = random.nextInt(8) == 0;
    return new Request.Range(
        key(random),
        end(random),
        random.nextInt(3) == 0 ? 1 + random.nextInt(5) : 0,
        revision,
        order,
        target,
        serializable,
        target == Request.SortTarget.KEY && random.nextInt(8) == 0,
        random.nextInt(10) == 0,
        bounded ? Math.max(0, newestRevision - random.nextInt(50)) : 0,
        0,
        0,
        bounded && random.nextBoolean() ? newestRevision : 0);
  }

  private Compare compare(SplittableRandom random, long newestRevision) {
    Bytes key = key(random);
    Compare.Result result = Compare.Result.values()[random.nextInt(4)];
    Compare compare = switch (random.nextInt(5)) {
      case 0, 1 -> Compare.version(key, result, random.nextInt(4));
      case 2 -> Compare.createRevision(key, result, random.nextInt(2) * newestRevision);
      case 3 -> Compare.modRevision(key, result, Math.max(0, newestRevision - random.nextInt(5)));
      default -> Compare.lease(key, result, random.nextInt(3));
    };
    return random.nextInt(6) == 0 ? compare.over(key(random)) : compare;
  }

  private Request.Txn txn(SplittableRandom random, int client, long newestRevision, int depth) {
    List<Compare> compares = new ArrayList<>();
    for (int n = random.nextInt(3); n > 0; n--) {
      compares.add(compare(random, newestRevision));
    }
    return new Request.Txn(
        compares, branch(random, client, newestRevision, depth), branch(random, client, newestRevision, depth));
  }

  /// Changes no key twice, which would be refused: each operation has keys of its own.
  private List<Request.Op> branch(SplittableRandom random, int client, long newestRevision, int depth) {
    List<Request.Op> ops = new ArrayList<>();
    int at = random.nextInt(keys);
    for (int n = random.nextInt(4); n > 0; n--) {
      Bytes key = Bytes.utf8("k%02d".formatted(at));
      at = (at + 1 + random.nextInt(2)) % keys;
      switch (random.nextInt(6)) {
        case 0, 1, 2 -> ops.add(plainPut(random, client, key));
        case 3 -> ops.add(new Request.DeleteRange(key, Bytes.EMPTY, random.nextBoolean()));
        case 4 -> ops.add(range(random, newestRevision, false));
        default -> {
          if (depth > 0) {
            ops.add(txn(random, client, newestRevision, depth - 1));
          }
        }
      }
    }
    return ops;
  }

  private Request.Txn readOnlyTxn(SplittableRandom random, long newestRevision) {
    boolean serializable = random.nextBoolean();
    List<Request.Op> then = List.of(range(random, newestRevision, serializable), range(random, newestRevision, serializable));
    List<Request.Op> otherwise = List.of(range(random, newestRevision, serializable));
    return new Request.Txn(List.of(compare(random, newestRevision)), then, otherwise);
  }
}
