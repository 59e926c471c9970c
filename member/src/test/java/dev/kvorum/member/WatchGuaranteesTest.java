package dev.kvorum.member;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.kvorum.api.Encoded;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest.FilterType;
import dev.kvorum.api.etcdserverpb.WatchResponse;
import dev.kvorum.api.mvccpb.Event;
import dev.kvorum.api.mvccpb.Event.EventType;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.RealDisk;
import dev.kvorum.member.watch.WatchSession;
import dev.kvorum.state.Request;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.jspecify.annotations.Nullable;

/// etcd's watch guarantees, each judged over one long random story: writers in bursts, readers that lag, break off and
/// resume, compactions, and restarts of the member.
class WatchGuaranteesTest {
  private static final int READERS = 24;
  private static final int ROUNDS = 4;
  private static final int WRITES_PER_ROUND = 700;
  private static final int KEYS = 12;

  private static final long SEED = Long.getLong("kvorum.seed", new Random().nextLong());
  private static final Random RANDOM = new Random(SEED);

  /// What happened to one key in one revision.
  private record Change(long revision, String key, @Nullable String value, @Nullable String before, boolean isCreate) {}

  private static final List<Change> HISTORY = new ArrayList<>();
  private static final List<Reader> ALL_READERS = new ArrayList<>();
  private static final Map<String, String> MODEL = new HashMap<>();
  private static long lastRevision = 1;

  /// One watcher's view of the story, over all its streams.
  private static final class Reader {
    final String from;
    final String end;
    final boolean prevKv;
    final boolean noPut;
    final boolean noDelete;
    final boolean fragment;
    long start;
    long next;
    final List<WatchResponse> responses = new ArrayList<>();
    /// Index into responses where a stream begins, and where the watcher was sent forward past a compaction.
    final List<Integer> resumed = new ArrayList<>();
    final List<long[]> forgotten = new ArrayList<>();
    final Semaphore signal = new Semaphore(0);
    @Nullable WatchSession session;
    boolean partial;
    long progressed;

    Reader(Random random) {
      int from = random.nextInt(KEYS);
      int to = from + 1 + random.nextInt(KEYS - from);
      this.from = key(from);
      this.end = random.nextInt(3) == 0 ? "" : key(to);
      this.prevKv = random.nextBoolean();
      this.noPut = random.nextInt(6) == 0;
      this.noDelete = !noPut && random.nextInt(6) == 0;
      this.fragment = random.nextInt(3) == 0;
    }

    boolean wants(Change change) {
      boolean inRange =
          end.isEmpty() ? change.key().equals(from) : change.key().compareTo(from) >= 0 && change.key().compareTo(end) < 0;
      return inRange && !(change.value() == null ? noDelete : noPut);
    }

    void open(LiveMember live) {
      resumed.add(responses.size());
      partial = false;
      session = live.member.watches().open(signal::release);
      WatchCreateRequest.Builder request =
          WatchCreateRequest.newBuilder()
              .setKey(ByteString.copyFromUtf8(from))
              .setRangeEnd(ByteString.copyFromUtf8(end))
              .setStartRevision(next)
              .setPrevKv(prevKv)
              .setFragment(fragment)
              .setProgressNotify(true);
      if (noPut) {
        request.addFilters(FilterType.NOPUT);
      }
      if (noDelete) {
        request.addFilters(FilterType.NODELETE);
      }
      session.create(request.build());
    }

    void close() {
      if (session != null) {
        session.close();
        session = null;
        while (partial) {
          responses.removeLast(); // parts without their end: nothing was resumed from them
          partial = !responses.isEmpty() && responses.getLast().getFragment();
        }
      }
    }

    /// Takes up to `max` responses. @return false when there was none, or the stream is of no more use
    boolean read(int max) throws Exception {
      for (int i = 0; i < max; i++) {
        Encoded encoded = session == null ? null : session.poll();
        if (encoded == null) {
          return false;
        }
        WatchResponse response = WatchResponse.parseFrom(encoded.toByteArray());
        if (response.getCompactRevision() != 0) {
          forgotten.add(new long[] {next, response.getCompactRevision()});
          next = response.getCompactRevision();
          close();
          return false;
        }
        responses.add(response);
        partial = response.getFragment();
        if (response.getEventsCount() > 0 && !partial) {
          next = response.getEvents(response.getEventsCount() - 1).getKv().getModRevision() + 1;
        } else if (response.getEventsCount() == 0 && !response.getCreated()) {
          progressed = Math.max(progressed, response.getHeader().getRevision());
        }
      }
      return true;
    }

    List<Event> events() {
      return responses.stream().flatMap(response -> response.getEventsList().stream()).toList();
    }

    boolean isForgotten(long revision) {
      return forgotten.stream().anyMatch(gap -> gap[0] <= revision && revision < gap[1]);
    }
  }

  private static String key(int n) {
    return "k%02d".formatted(n);
  }

  @BeforeAll
  static void story(@TempDir Path directory) throws Exception {
    MemberConfig config =
        LiveMember.config(
            directory,
            Map.of(
                "progressNotifyNanos", TimeUnit.MILLISECONDS.toNanos(100),
                "maxRequestBytes", 64 * 1024,
                "compactionBatchLimit", 50,
                "compactionSleepNanos", 100_000L,
                "backendBatchNanos", 3_000_000L));
    for (int i = 0; i < READERS; i++) {
      ALL_READERS.add(new Reader(RANDOM));
    }
    for (int round = 0; round < ROUNDS; round++) {
      try (LiveMember live = LiveMember.start(config, new RealDisk())) {
        for (Reader reader : ALL_READERS) {
          begin(reader, live);
        }
        for (int i = 0; i < WRITES_PER_ROUND; i++) {
          write(live);
          disturb(live);
        }
        if (round == ROUNDS - 1) {
          for (Reader reader : ALL_READERS) {
            readToTheEnd(reader, live);
          }
        }
        ALL_READERS.forEach(Reader::close);
      }
    }
  }

  private static void begin(Reader reader, LiveMember live) {
    if (reader.start == 0) {
      reader.start = lastRevision + 1 + (RANDOM.nextInt(4) == 0 ? RANDOM.nextInt(100) : 0);
      reader.next = reader.start;
    }
    reader.open(live);
  }

  private static void disturb(LiveMember live) throws Exception {
    Reader reader = ALL_READERS.get(RANDOM.nextInt(READERS));
    switch (RANDOM.nextInt(40)) {
      case 0 -> {
        reader.close();
        reader.open(live);
      }
      case 1 -> reader.session.progress();
      case 2 -> {
        try (var view = live.member.view()) {
          long to = lastRevision - RANDOM.nextInt(400);
          if (to > view.compactRevision()) {
            live.compact(to, RANDOM.nextBoolean());
          }
        }
      }
      case 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 -> {
        reader.read(1 + RANDOM.nextInt(20));
        if (reader.session == null) {
          reader.open(live);
        }
      }
      default -> {}
    }
  }

  /// A txn of one to four changes.
  private static void write(LiveMember live) throws Exception {
    List<Request.Op> ops = new ArrayList<>();
    List<Change> changes = new ArrayList<>();
    List<Integer> keys = new ArrayList<>();
    for (int i = 0; i < KEYS; i++) {
      keys.add(i);
    }
    java.util.Collections.shuffle(keys, RANDOM);
    int count = RANDOM.nextInt(5) == 0 ? 1 + RANDOM.nextInt(4) : 1;
    for (int n : keys.subList(0, count)) {
      String key = key(n);
      String before = MODEL.get(key);
      if (RANDOM.nextInt(4) > 0) {
        int length = RANDOM.nextInt(10) == 0 ? 8_000 : 100;
        String value = lastRevision + ":" + "v".repeat(RANDOM.nextInt(length));
        ops.add(Request.Put.of(Bytes.utf8(key), Bytes.utf8(value)));
        changes.add(new Change(lastRevision + 1, key, value, before, before == null));
        MODEL.put(key, value);
      } else {
        ops.add(Request.DeleteRange.of(Bytes.utf8(key), Bytes.EMPTY));
        if (before != null) {
          changes.add(new Change(lastRevision + 1, key, null, before, false));
          MODEL.remove(key);
        }
      }
    }
    Request.Txn txn = new Request.Txn(List.of(), ops, List.of());
    LiveMember.await(LiveMember.call(reply -> live.member.kv().txn(txn, Caller.LOCAL, reply)));
    if (!changes.isEmpty()) {
      lastRevision++;
      HISTORY.addAll(changes);
    }
  }

  /// A progress answer says when all is there; it is asked for after each pause.
  private static void readToTheEnd(Reader reader, LiveMember live) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LiveMember.DEADLINE_SECONDS);
    while (reader.progressed < lastRevision && reader.start <= lastRevision) {
      assertThat(System.nanoTime()).as("seed %d: reader at %d of %d", SEED, reader.next, lastRevision).isLessThan(deadline);
      if (!reader.read(Integer.MAX_VALUE)) {
        if (reader.session == null) {
          reader.open(live);
        }
        reader.session.progress();
        reader.signal.tryAcquire(50, TimeUnit.MILLISECONDS);
      }
    }
  }

  // ---- The guarantees ----

  @Test
  void ordered() {
    for (Reader reader : ALL_READERS) {
      long last = 0;
      for (Event event : reader.events()) {
        assertThat(event.getKv().getModRevision()).as("seed %d", SEED).isGreaterThanOrEqualTo(last);
        last = event.getKv().getModRevision();
      }
    }
  }

  @Test
  void unique() {
    for (Reader reader : ALL_READERS) {
      assertThat(reader.events().stream().map(e -> e.getKv().getModRevision() + " " + e.getKv().getKey().toStringUtf8()))
          .as("seed %d", SEED)
          .doesNotHaveDuplicates();
    }
  }

  @Test
  void reliable() {
    for (Reader reader : ALL_READERS) {
      List<String> expected =
          HISTORY.stream()
              .filter(change -> change.revision() >= reader.start && reader.wants(change))
              .filter(change -> !reader.isForgotten(change.revision()))
              .map(change -> change.revision() + " " + change.key() + "=" + change.value())
              .toList();
      List<String> seen =
          reader.events().stream()
              .map(
                  event ->
                      event.getKv().getModRevision()
                          + " "
                          + event.getKv().getKey().toStringUtf8()
                          + "="
                          + (event.getType() == EventType.DELETE ? null : event.getKv().getValue().toStringUtf8()))
              .toList();
      assertThat(seen).as("seed %d", SEED).isEqualTo(expected);
    }
    assertThat(ALL_READERS).as("seed %d: some events at all", SEED).anyMatch(reader -> reader.events().size() > 100);
  }

  @Test
  void atomic() {
    for (Reader reader : ALL_READERS) {
      Map<Long, Integer> whole = new HashMap<>();
      int response = 0;
      for (WatchResponse part : reader.responses) {
        for (Event event : part.getEventsList()) {
          Integer first = whole.putIfAbsent(event.getKv().getModRevision(), response);
          assertThat(first == null || first == response).as("seed %d: a revision in one response", SEED).isTrue();
        }
        response += part.getFragment() ? 0 : 1;
        assertThat(reader.fragment || !part.getFragment()).isTrue();
      }
    }
  }

  @Test
  void resumable() {
    for (Reader reader : ALL_READERS) {
      for (int at : reader.resumed) {
        if (at < reader.responses.size()) {
          WatchResponse first = reader.responses.get(at);
          assertThat(first.getCreated()).as("seed %d: created comes first", SEED).isTrue();
        }
      }
    }
    assertThat(ALL_READERS).anyMatch(reader -> reader.resumed.size() > ROUNDS);
  }

  @Test
  void bookmarkable() {
    for (Reader reader : ALL_READERS) {
      long promised = 0;
      int at = 0;
      for (WatchResponse response : reader.responses) {
        if (reader.resumed.contains(at++)) {
          promised = 0;
        }
        for (Event event : response.getEventsList()) {
          assertThat(event.getKv().getModRevision()).as("seed %d: after progress", SEED).isGreaterThan(promised);
        }
        if (response.getEventsCount() == 0 && !response.getCreated()) {
          promised = response.getHeader().getRevision();
          assertThat(promised).as("seed %d: not before the start", SEED).isGreaterThanOrEqualTo(reader.start);
        }
      }
    }
  }

  @Test
  void prevKv() {
    Map<String, Change> changes = changes();
    for (Reader reader : ALL_READERS) {
      for (Event event : reader.events()) {
        Change change = changes.get(event.getKv().getModRevision() + event.getKv().getKey().toStringUtf8());
        if (event.hasPrevKv()) {
          assertThat(reader.prevKv).isTrue();
          assertThat(event.getPrevKv().getValue().toStringUtf8()).as("seed %d", SEED).isEqualTo(change.before());
        }
      }
    }
  }

  @Test
  void isCreate() {
    Map<String, Change> changes = changes();
    for (Reader reader : ALL_READERS) {
      for (Event event : reader.events()) {
        var kv = event.getKv();
        Change change = changes.get(kv.getModRevision() + kv.getKey().toStringUtf8());
        boolean creates = event.getType() == EventType.PUT && kv.getCreateRevision() == kv.getModRevision();
        assertThat(creates).as("seed %d", SEED).isEqualTo(change.isCreate());
        assertThat(kv.getVersion() == 1).isEqualTo(change.isCreate());
      }
    }
  }

  @Test
  void filter() {
    for (Reader reader : ALL_READERS) {
      for (Event event : reader.events()) {
        boolean delete = event.getType() == EventType.DELETE;
        assertThat(delete ? reader.noDelete : reader.noPut).as("seed %d", SEED).isFalse();
      }
    }
  }

  private static Map<String, Change> changes() {
    Map<String, Change> changes = new HashMap<>();
    HISTORY.forEach(change -> changes.put(change.revision() + change.key(), change));
    return changes;
  }
}
