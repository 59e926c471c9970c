package dev.kvorum.sim.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.protobuf.ByteString;
import dev.kvorum.api.etcdserverpb.ResponseHeader;
import dev.kvorum.api.etcdserverpb.WatchResponse;
import dev.kvorum.api.mvccpb.Event;
import dev.kvorum.api.mvccpb.KeyValue;
import dev.kvorum.bolt.Bolt;
import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.bolt.WriteTx;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.sim.SimDisk;
import dev.kvorum.sim.Finding;
import dev.kvorum.sim.judge.Judges;
import dev.kvorum.sim.judge.StateJudge;
import dev.kvorum.sim.judge.WatchJudge;
import dev.kvorum.sim.model.Answer;
import dev.kvorum.sim.model.Change;
import dev.kvorum.sim.model.Known;
import dev.kvorum.sim.model.Kv;
import dev.kvorum.sim.model.KvModel;
import dev.kvorum.sim.model.Operation;
import dev.kvorum.sim.model.Store;
import dev.kvorum.state.Request;
import dev.kvorum.state.backend.MetaKey;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// The judges beside linearizability: each finds the breach of its own promise, and nothing in a story told right.
class JudgesTest {
  private static final long SECOND = 1_000_000_000L;
  private static final Bytes ZERO = Bytes.wrap(new byte[] {0});

  /// Revision 2: a=1. 3: a=2 and b=1. 4: a is deleted. 5: a=3.
  private static final Store END =
      after(
          Store.EMPTY,
          put("a", "1"),
          new Request.Txn(List.of(), List.of(put("a", "2"), put("b", "1")), List.of()),
          Request.DeleteRange.of(Bytes.utf8("a"), Bytes.EMPTY),
          put("a", "3"));

  private static Store after(Store store, Request... requests) {
    for (Request request : requests) {
      store = KvModel.step(store, request).after();
    }
    return store;
  }

  private static Request.Put put(String key, String value) {
    return Request.Put.of(Bytes.utf8(key), Bytes.utf8(value));
  }

  private static Watching watching(boolean prevKv) {
    return new Watching("watcher", ZERO, ZERO, prevKv, false, false, false, 2);
  }

  private static Watching.Stream stream(Watching watching, long from) {
    Watching.Stream stream = new Watching.Stream("m1", from);
    watching.streams().add(stream);
    stream.responses.add(response(1).setCreated(true).build());
    return stream;
  }

  private static WatchResponse.Builder response(long revision) {
    return WatchResponse.newBuilder().setHeader(ResponseHeader.newBuilder().setRevision(revision));
  }

  private static WatchResponse told(List<Change> changes, boolean prevKv) {
    WatchResponse.Builder response = response(changes.getLast().revision());
    changes.forEach(change -> response.addEvents(event(change, prevKv)));
    return response.build();
  }

  private static Event event(Change change, boolean prevKv) {
    Event.Builder event = Event.newBuilder();
    Kv after = change.after();
    if (after == null) {
      event.setType(Event.EventType.DELETE);
      event.setKv(KeyValue.newBuilder().setKey(bytes(change.key())).setModRevision(change.revision()));
    } else {
      event.setKv(kv(after));
    }
    Kv before = change.before();
    if (prevKv && before != null) {
      event.setPrevKv(kv(before));
    }
    return event.build();
  }

  private static KeyValue kv(Kv kv) {
    return KeyValue.newBuilder()
        .setKey(bytes(kv.key()))
        .setValue(bytes(kv.value()))
        .setCreateRevision(kv.create())
        .setModRevision(kv.mod())
        .setVersion(kv.version())
        .setLease(kv.lease())
        .build();
  }

  private static ByteString bytes(Bytes bytes) {
    return ByteString.copyFrom(bytes.array());
  }

  private static List<Change> changes(long... revisions) {
    List<Change> changes = new ArrayList<>();
    for (long revision : revisions) {
      changes.addAll(END.at(revision).changes());
    }
    return changes;
  }

  private static void finds(String promise, Watching watching) {
    assertThatExceptionOfType(Finding.Found.class)
        .isThrownBy(() -> WatchJudge.judge(END, END.compacted(), watching))
        .satisfies(found -> assertThat(found.finding().judge()).isEqualTo("watch is " + promise));
  }

  private static Watching of(boolean prevKv, WatchResponse... responses) {
    Watching watching = watching(prevKv);
    stream(watching, 2).responses.addAll(List.of(responses));
    return watching;
  }

  @Test
  void aStoryToldRightIsLeftAlone() {
    WatchJudge.judge(END, END.compacted(), of(true, told(changes(2, 3), true), response(3).build(), told(changes(4, 5), true)));
    WatchJudge.judge(END, END.compacted(), of(false, told(changes(2), false), told(changes(3), false)));
  }

  @Test
  void anEventOutOfOrderIsFound() {
    finds("ordered", of(false, told(List.of(changes(2).getFirst(), changes(4).getFirst(), changes(3).getFirst()), false)));
  }

  @Test
  void anEventToldTwiceIsFound() {
    finds("unique", of(false, told(changes(2, 3), false), told(changes(3), false)));
  }

  @Test
  void anEventLeftOutIsFound() {
    finds("reliable", of(false, told(changes(2), false), told(changes(4), false)));
  }

  @Test
  void halfATransactionIsFound() {
    finds("atomic", of(false, told(changes(2), false), told(changes(3).subList(0, 1), false)));
  }

  @Test
  void progressAheadOfEventsIsFound() {
    finds("reliable", of(false, told(changes(2), false), response(3).build()));
  }

  @Test
  void anEventBehindProgressIsFound() {
    finds("bookmarkable", of(false, told(changes(2, 3, 4), false), response(4).build(), told(changes(4), false)));
  }

  @Test
  void aStreamThatLosesItsPlaceOnResumingIsFound() {
    Watching watching = of(false, told(changes(2), false));
    stream(watching, 3).responses.add(told(changes(4), false));
    finds("reliable", watching);
  }

  @Test
  void aStreamThatRepeatsWhatWasToldBeforeItResumedIsFound() {
    Watching watching = of(false, told(changes(2, 3), false));
    stream(watching, 4).responses.add(told(changes(3, 4), false));
    finds("resumable", watching);
  }

  @Test
  void aWrongPastIsFound() {
    Change change = changes(4).getFirst();
    Change wrong = new Change(4, change.key(), null, END.at(2).keys().get(change.key()));
    finds("prev-kv", of(true, told(changes(2, 3), true), told(List.of(wrong), true)));
  }

  @Test
  void aMissingPastIsFound() {
    finds("prev-kv", of(true, told(changes(2), true), told(changes(3), false)));
  }

  @Test
  void aCreationThatIsNoneIsFound() {
    Change change = changes(3).getFirst();
    Kv kv = new Kv(change.key(), Bytes.utf8("2"), 3, 3, 1, 0);
    List<Change> wrong = List.of(new Change(3, change.key(), kv, change.before()), changes(3).get(1));
    finds("is-create", of(false, told(changes(2), false), told(wrong, false)));
  }

  @Test
  void anEventThatWasFilteredOutIsFound() {
    Watching watching = new Watching("watcher", ZERO, ZERO, false, false, true, false, 2);
    stream(watching, 2).responses.add(told(changes(2, 3, 4), false));
    finds("filters", watching);
  }

  @Test
  void aCompactionThatNobodyAskedForIsFound() {
    finds("reliable", of(false, response(0).setCanceled(true).setCompactRevision(4).build()));
  }

  // ---- Others

  private static void judges(Memory memory, @Nullable String finding) {
    judges(memory, Map.of(), finding);
  }

  private static void judges(Memory memory, Map<Long, Long> revocations, @Nullable String finding) {
    Judges judges = new Judges(memory, 0.01, Known.NOTHING, revocations);
    if (finding == null) {
      judges.judge();
    } else {
      assertThatExceptionOfType(Finding.Found.class)
          .isThrownBy(judges::judge)
          .satisfies(found -> assertThat(found.finding().judge()).isEqualTo(finding));
    }
  }

  private static Memory withOnePut() {
    Memory memory = new Memory();
    memory.operations().add(new Operation(1, put("a", "1"), 1, 2, new Answer.Put(2, null)));
    return memory;
  }

  @Test
  void aSerializableReadOfWhatNeverWasIsFound() {
    Request.Range get = Request.Range.of(Bytes.utf8("a"), Bytes.EMPTY);
    Memory memory = withOnePut();
    memory.serializable().add(new Operation(2, get, 3, 4, new Answer.Ranged(1, List.of(), false, 0)));
    judges(memory, null);
    memory.serializable().add(new Operation(2, get, 3, 4, new Answer.Ranged(2, List.of(), false, 0)));
    judges(memory, "serializable reads are of the past");
  }

  @Test
  void aHashThatIsNotTheHistorysIsFound() {
    Memory memory = withOnePut();
    memory.hashes().add(new Memory.KeyHash("m1", 2, -1, 12345));
    judges(memory, "hash of keys");
  }

  @Test
  void aLeaseThatEndsEarlyIsFound() {
    Memory memory = withOnePut();
    Leasing lease = new Leasing(7, Bytes.utf8("lease/7"));
    lease.ttlNanos = 5 * SECOND;
    lease.renewalsAskedNanos.add(10 * SECOND);
    lease.goneNanos = 15 * SECOND;
    memory.leases().add(lease);
    judges(memory, null);
    lease.goneNanos = 14 * SECOND;
    judges(memory, "leases live their time");
    lease.goneNanos = 0;
    judges(memory, Map.of(7L, 15 * SECOND), null);
    judges(memory, Map.of(7L, 14 * SECOND), "leases live their time");
    lease.renewalsAskedNanos.add(17 * SECOND); // and acknowledged; that is not for this judge
    judges(memory, Map.of(7L, 15 * SECOND), null);
  }

  @Test
  void aDatabaseThatDiffersFromAnotherOfTheSameEntryIsFound() throws Exception {
    List<String> found = new ArrayList<>();
    StateJudge judge = new StateJudge((name, how) -> found.add(name + ": " + how));
    assertThat(judge.holds("one", database(7, "a"))).isEqualTo(7);
    judge.holds("another", database(7, "a"));
    judge.holds("a third, further", database(8, "b"));
    assertThat(judge.compared()).isPositive();
    assertThat(found).isEmpty();
    judge.holds("a fourth", database(7, "b"));
    assertThat(found).singleElement().asString().startsWith("equal state: after entry 7 the bucket alarm has 1 records");
  }

  private static byte[] database(long applied, String alarm) throws Exception {
    SimDisk disk = new SimDisk();
    Path file = Path.of("/db");
    try (Bolt bolt = Bolt.open(disk, file, BoltOptions.defaults().withInitialMapBytes(0)); WriteTx tx = bolt.beginWrite()) {
      tx.createBucketIfAbsent(Bytes.utf8("meta").array())
          .put(MetaKey.CONSISTENT_INDEX.array(), ByteBuffer.allocate(8).putLong(applied).array());
      tx.createBucketIfAbsent(Bytes.utf8("alarm").array()).put(Bytes.utf8(alarm).array(), new byte[0]);
      tx.commit();
    }
    return disk.contents(file);
  }
}
