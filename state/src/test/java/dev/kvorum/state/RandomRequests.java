package dev.kvorum.state;

import dev.kvorum.env.Bytes;
import dev.kvorum.state.Request.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Requests of all KV shapes over a small key space, mostly valid.
final class RandomRequests {
  private final Random random;
  private final int keys;

  RandomRequests(Random random, int keys) {
    this.random = random;
    this.keys = keys;
  }

  Bytes key() {
    return Bytes.utf8("k" + random.nextInt(keys));
  }

  Bytes rangeEnd() {
    return switch (random.nextInt(6)) {
      case 0 -> Bytes.wrap(new byte[1]);
      case 1, 2 -> Bytes.utf8("k" + random.nextInt(keys));
      default -> Bytes.EMPTY;
    };
  }

  Bytes value() {
    byte[] value = new byte[random.nextInt(20) == 0 ? 700 : random.nextInt(30)];
    random.nextBytes(value);
    return Bytes.wrap(value);
  }

  Request.Range range() {
    boolean plain = random.nextBoolean();
    return new Request.Range(
        key(), rangeEnd(), random.nextInt(4) == 0 ? random.nextInt(5) : 0,
        random.nextInt(5) == 0 ? random.nextInt(60) - 2 : 0,
        plain ? Request.SortOrder.NONE : Request.SortOrder.values()[random.nextInt(3)],
        plain ? Request.SortTarget.KEY : Request.SortTarget.values()[random.nextInt(5)],
        random.nextBoolean(), random.nextInt(6) == 0, random.nextInt(6) == 0,
        bound(), bound(), bound(), bound());
  }

  private long bound() {
    return random.nextInt(8) == 0 ? random.nextInt(40) : 0;
  }

  Request.Put put(long... leases) {
    boolean ignoreValue = random.nextInt(12) == 0;
    boolean ignoreLease = random.nextInt(12) == 0;
    boolean leased = !ignoreLease && leases.length > 0 && random.nextInt(3) == 0;
    long lease = leased ? leases[random.nextInt(leases.length)] : 0;
    return new Request.Put(
        key(), ignoreValue ? Bytes.EMPTY : value(), lease, random.nextInt(4) == 0, ignoreValue, ignoreLease);
  }

  Request.DeleteRange delete() {
    return new Request.DeleteRange(key(), rangeEnd(), random.nextInt(3) == 0);
  }

  Compare compare() {
    Compare.Target target = Compare.Target.values()[random.nextInt(5)];
    Compare.Result result = Compare.Result.values()[random.nextInt(4)];
    boolean isValue = target == Compare.Target.VALUE;
    return new Compare(
        result, target, key(), rangeEnd(), isValue ? 0 : random.nextInt(6), isValue ? value() : Bytes.EMPTY);
  }

  Request.Txn txn(int depth, long... leases) {
    List<Compare> compares = new ArrayList<>();
    for (int i = random.nextInt(3); i > 0; i--) {
      compares.add(compare());
    }
    return new Request.Txn(compares, ops(depth, leases), ops(depth, leases));
  }

  private List<Op> ops(int depth, long... leases) {
    List<Op> ops = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      ops.add(switch (random.nextInt(depth > 0 ? 6 : 5)) {
        case 0, 1 -> put(leases);
        case 2 -> delete();
        case 3, 4 -> range();
        default -> txn(depth - 1, leases);
      });
    }
    return ops;
  }
}
