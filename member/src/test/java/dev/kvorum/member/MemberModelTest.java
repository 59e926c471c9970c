package dev.kvorum.member;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.api.EtcdException;
import dev.kvorum.api.etcdserverpb.CompactionRequest;
import dev.kvorum.api.etcdserverpb.LeaseGrantRequest;
import dev.kvorum.api.etcdserverpb.LeaseRevokeRequest;
import dev.kvorum.api.etcdserverpb.RangeResponse;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.RealDisk;
import dev.kvorum.state.Compare;
import dev.kvorum.state.Request;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Random work, many requests in flight, against a simple model: over clean restarts, and over crashes at any moment.
///
/// Requests of one caller enter the log in their order, so the model carries them out one after another, and a member
/// that was killed must come back as the model was after some of them: no fewer than were acknowledged.
class MemberModelTest {
  private static final int KEYS = 30;
  private static final int IN_FLIGHT_MAX = 24;

  @TempDir Path directory;
  private final long seed = Long.getLong("kvorum.seed", new Random().nextLong());
  private final Random random = new Random(seed);
  private State state = new State();
  private int directories;

  /// A key as the store shows it.
  private record Kv(String value, long create, long mod, long version, long lease) {}

  private static final class State {
    long revision = 1;
    long compacted = -1;
    NavigableMap<String, Kv> keys = new TreeMap<>();
    TreeSet<Long> leases = new TreeSet<>();

    State copy() {
      State copy = new State();
      copy.revision = revision;
      copy.compacted = compacted;
      copy.keys = new TreeMap<>(keys);
      copy.leases = new TreeSet<>(leases);
      return copy;
    }

    void put(String key, String value, long lease, long at) {
      Kv old = keys.get(key);
      keys.put(key, new Kv(value, old == null ? at : old.create(), at, old == null ? 1 : old.version() + 1, lease));
    }

    boolean looksLike(State other) {
      return revision == other.revision
          && compacted == other.compacted
          && keys.equals(other.keys)
          && leases.equals(other.leases);
    }
  }

  /// What was asked of the member, and the model after it.
  private record Step(String what, State after, boolean refused, CompletableFuture<byte[]> answer) {}

  @Test
  void aMemberIsItsModelOverCleanRestarts() throws Exception {
    Path data = next();
    for (int round = 0; round < 6; round++) {
      try (LiveMember live = LiveMember.start(config(data), new RealDisk())) {
        assertSame(live, state);
        List<Step> steps = work(live, 250);
        for (Step step : steps) {
          assertAnswer(step);
        }
        assertSame(live, state);
        assertHistory(live, steps);
      }
    }
  }

  @Test
  void everyAcknowledgedWriteOutlivesACrashAtAnyMoment() throws Exception {
    Path data = next();
    for (int round = 0; round < 8; round++) {
      TestDisk disk = new TestDisk();
      Path image = next();
      List<Step> steps;
      int acknowledged;
      State before = state;
      try (LiveMember live = LiveMember.start(config(data), disk)) {
        steps = work(live, 20 + random.nextInt(200));
        acknowledged = 0;
        while (acknowledged < steps.size() && steps.get(acknowledged).answer().isDone()) {
          assertAnswer(steps.get(acknowledged++));
        }
        disk.image(data, image);
      }
      try (LiveMember live = LiveMember.start(config(image), new RealDisk())) {
        state = found(live, before, steps, acknowledged);
      }
      data = image;
    }
  }

  /// The state the member came back in: that after the last acknowledged step, or one after it.
  private State found(LiveMember live, State before, List<Step> steps, int acknowledged) throws Exception {
    State actual = read(live);
    for (int i = acknowledged; i <= steps.size(); i++) {
      State possible = i == 0 ? before : steps.get(i - 1).after();
      if (possible.looksLike(actual)) {
        return possible;
      }
    }
    throw new AssertionError(
        "seed %d: of %d steps %d were acknowledged, and the member is at revision %d, compacted at %d, with %d keys"
            .formatted(seed, steps.size(), acknowledged, actual.revision, actual.compacted, actual.keys.size()));
  }

  private Path next() {
    return directory.resolve("member" + directories++);
  }

  private static MemberConfig config(Path data) {
    return LiveMember.config(
        data,
        Map.of(
            "snapshotCount", 100L,
            "snapshotCatchupEntries", 20L,
            "backendBatchNanos", 5_000_000L,
            "compactionBatchLimit", 10,
            "compactionSleepNanos", 1_000_000L));
  }

  // ---- Work ----

  private List<Step> work(LiveMember live, int count) throws Exception {
    List<Step> steps = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      steps.add(step(live));
      if (i >= IN_FLIGHT_MAX) {
        settled(steps.get(i - IN_FLIGHT_MAX));
      }
    }
    return steps;
  }

  private static void settled(Step step) throws InterruptedException {
    try {
      LiveMember.await(step.answer());
    } catch (EtcdException refused) {
      // looked at later
    }
  }

  private Step step(LiveMember live) {
    state = state.copy();
    return switch (random.nextInt(20)) {
      case 0, 1, 2, 3, 4, 5, 6, 7 -> put(live);
      case 8, 9, 10 -> delete(live);
      case 11, 12, 13, 14 -> txn(live);
      case 15, 16 -> grant(live);
      case 17, 18 -> revoke(live);
      default -> compact(live);
    };
  }

  private String key() {
    return "k%02d".formatted(random.nextInt(KEYS));
  }

  private String value() {
    return random.nextInt(10) == 0 ? "v".repeat(random.nextInt(20_000)) : "v" + random.nextInt(1000);
  }

  private Step put(LiveMember live) {
    String key = key();
    String value = value();
    long lease = random.nextInt(3) == 0 ? 1 + random.nextInt(5) : 0;
    boolean refused = lease != 0 && !state.leases.contains(lease);
    if (!refused) {
      state.put(key, value, lease, ++state.revision);
    }
    Request.Put put = new Request.Put(Bytes.utf8(key), Bytes.utf8(value), lease, false, false, false);
    return new Step(
        "put", state, refused, LiveMember.call(reply -> live.member.kv().put(put, Caller.LOCAL, reply)));
  }

  private Step delete(LiveMember live) {
    String from = key();
    String to = random.nextBoolean() ? key() : "";
    NavigableMap<String, Kv> range =
        to.isEmpty()
            ? state.keys.subMap(from, true, from, true)
            : from.compareTo(to) < 0 ? state.keys.subMap(from, true, to, false) : new TreeMap<>();
    if (!range.isEmpty()) {
      state.revision++;
      range.clear();
    }
    Request.DeleteRange delete = Request.DeleteRange.of(Bytes.utf8(from), Bytes.utf8(to));
    return new Step(
        "delete", state, false, LiveMember.call(reply -> live.member.kv().deleteRange(delete, Caller.LOCAL, reply)));
  }

  /// If the version is as guessed, puts two keys; else deletes one.
  private Step txn(LiveMember live) {
    String guarded = key();
    long guess = random.nextInt(3);
    String first = "a" + key();
    String second = "b" + key();
    String value = value();
    Kv now = state.keys.get(guarded);
    long at = state.revision + 1;
    if ((now == null ? 0 : now.version()) == guess) {
      state.put(first, value, 0, at);
      state.put(second, value, 0, at);
      state.revision = at;
    } else if (now != null) {
      state.keys.remove(guarded);
      state.revision = at;
    }
    Request.Txn txn =
        new Request.Txn(
            List.of(Compare.version(Bytes.utf8(guarded), Compare.Result.EQUAL, guess)),
            List.of(
                Request.Put.of(Bytes.utf8(first), Bytes.utf8(value)),
                Request.Put.of(Bytes.utf8(second), Bytes.utf8(value))),
            List.of(Request.DeleteRange.of(Bytes.utf8(guarded), Bytes.EMPTY)));
    return new Step(
        "txn", state, false, LiveMember.call(reply -> live.member.kv().txn(txn, Caller.LOCAL, reply)));
  }

  private Step grant(LiveMember live) {
    long id = 1 + random.nextInt(5);
    boolean refused = !state.leases.add(id);
    LeaseGrantRequest grant = LeaseGrantRequest.newBuilder().setID(id).setTTL(10_000).build();
    return new Step(
        "grant", state, refused, LiveMember.call(reply -> live.member.leases().grant(grant, Caller.LOCAL, reply)));
  }

  private Step revoke(LiveMember live) {
    long id = 1 + random.nextInt(5);
    boolean refused = !state.leases.remove(id);
    if (!refused && state.keys.values().removeIf(kv -> kv.lease() == id)) {
      state.revision++;
    }
    LeaseRevokeRequest revoke = LeaseRevokeRequest.newBuilder().setID(id).build();
    return new Step(
        "revoke", state, refused, LiveMember.call(reply -> live.member.leases().revoke(revoke, Caller.LOCAL, reply)));
  }

  private Step compact(LiveMember live) {
    long revision = Math.max(1, state.revision - random.nextInt(60));
    boolean refused = revision <= state.compacted;
    if (!refused) {
      state.compacted = revision;
    }
    CompactionRequest compact =
        CompactionRequest.newBuilder().setRevision(revision).setPhysical(random.nextBoolean()).build();
    return new Step(
        "compact", state, refused, LiveMember.call(reply -> live.member.kv().compact(compact, Caller.LOCAL, reply)));
  }

  // ---- Judgement ----

  private void assertAnswer(Step step) throws InterruptedException {
    boolean refused = false;
    try {
      LiveMember.await(step.answer());
    } catch (EtcdException e) {
      refused = true;
    }
    assertThat(refused).as("seed %d: whether %s was refused", seed, step.what()).isEqualTo(step.refused());
  }

  private void assertSame(LiveMember live, State expected) throws Exception {
    State actual = read(live);
    assertThat(actual.revision).as("seed %d: revision", seed).isEqualTo(expected.revision);
    assertThat(actual.keys).as("seed %d: keys", seed).isEqualTo(expected.keys);
    assertThat(actual.leases).as("seed %d: leases", seed).isEqualTo(expected.leases);
    assertThat(actual.compacted).as("seed %d: compact revision", seed).isEqualTo(expected.compacted);
  }

  /// Old revisions read as they were, unless compacted.
  private void assertHistory(LiveMember live, List<Step> steps) throws Exception {
    for (int i = 0; i < 20; i++) {
      State then = steps.get(random.nextInt(steps.size())).after();
      if (then.revision >= state.compacted) {
        assertThat(keys(live.all(then.revision))).as("seed %d: at %d", seed, then.revision).isEqualTo(then.keys);
      }
    }
  }

  private static State read(LiveMember live) throws Exception {
    State read = new State();
    RangeResponse all = live.all();
    read.revision = all.getHeader().getRevision();
    read.keys = keys(all);
    live.leases().getLeasesList().forEach(lease -> read.leases.add(lease.getID()));
    try (var view = live.member.view()) {
      read.compacted = view.compactRevision();
    }
    return read;
  }

  private static TreeMap<String, Kv> keys(RangeResponse all) {
    TreeMap<String, Kv> keys = new TreeMap<>();
    for (var kv : all.getKvsList()) {
      keys.put(
          kv.getKey().toStringUtf8(),
          new Kv(
              kv.getValue().toStringUtf8(), kv.getCreateRevision(), kv.getModRevision(), kv.getVersion(),
              kv.getLease()));
    }
    return keys;
  }
}
