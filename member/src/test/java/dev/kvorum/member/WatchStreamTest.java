package dev.kvorum.member;

import static dev.kvorum.member.LiveMember.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.kvorum.api.Encoded;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest.FilterType;
import dev.kvorum.api.etcdserverpb.WatchResponse;
import dev.kvorum.api.mvccpb.Event.EventType;
import dev.kvorum.env.RealDisk;
import dev.kvorum.member.watch.WatchSession;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What one watch stream says to which request. The answers are real etcd's.
class WatchStreamTest {
  @TempDir Path directory;
  private LiveMember live;

  @BeforeEach
  void start() throws Exception {
    live = LiveMember.start(LiveMember.config(directory, Map.of("maxRequestBytes", 16 * 1024)), new RealDisk());
  }

  @AfterEach
  void stop() throws Exception {
    live.close();
  }

  /// A stream whose responses are taken one by one.
  private final class Stream {
    final Semaphore signal = new Semaphore(0);
    final WatchSession session = live.member.watches().open(signal::release);

    void create(WatchCreateRequest.Builder request) {
      session.create(request.build());
    }

    WatchResponse next() throws Exception {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LiveMember.DEADLINE_SECONDS);
      for (Encoded next = session.poll(); ; next = session.poll()) {
        if (next != null) {
          return WatchResponse.parseFrom(next.toByteArray());
        }
        boolean came = signal.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        assertThat(came).as("a watch response in time").isTrue();
      }
    }

    WatchResponse created() throws Exception {
      WatchResponse created = next();
      assertThat(created.getCreated()).isTrue();
      return created;
    }
  }

  private static WatchCreateRequest.Builder on(String key) {
    return WatchCreateRequest.newBuilder().setKey(bytes(key));
  }

  @Test
  void idsAreTheLowestUnusedUnlessChosen() throws Exception {
    Stream stream = new Stream();
    stream.create(on("a").setWatchId(1));
    stream.create(on("a"));
    stream.create(on("a"));
    stream.create(on("a").setWatchId(-5));
    stream.create(on("a").setWatchId(2));
    assertThat(List.of(stream.created(), stream.created(), stream.created(), stream.created()))
        .extracting(WatchResponse::getWatchId)
        .containsExactly(1L, 0L, 2L, -5L);
    WatchResponse duplicate = stream.created();
    assertThat(duplicate.getCanceled()).isTrue();
    assertThat(duplicate.getWatchId()).isEqualTo(-1);
    assertThat(duplicate.getCancelReason()).isEqualTo("mvcc: duplicate watch ID provided on the WatchStream");
    stream.session.cancel(99);
    stream.session.cancel(0);
    assertThat(stream.next().getWatchId()).isZero();
  }

  @Test
  void aRefusedWatcherDoesNotEndTheStream() throws Exception {
    Stream stream = new Stream();
    stream.create(on("a").setStartRevision(-1));
    stream.create(on("b").setRangeEnd(bytes("a")));
    stream.create(on("b").setRangeEnd(bytes("a")).setStartRevision(-1));
    stream.create(on("a"));
    assertThat(stream.next().getCancelReason()).isEqualTo("etcdserver: mvcc: required revision has been compacted");
    assertThat(stream.next().getCancelReason()).isEqualTo("mvcc: watcher range is empty");
    assertThat(stream.next().getCancelReason()).isEqualTo("etcdserver: mvcc: required revision has been compacted");
    assertThat(stream.created().getCanceled()).isFalse();
  }

  @Test
  void aCompactedWatcherIsToldAndItsIdStaysTakenUntilItIsCancelled() throws Exception {
    for (int i = 0; i < 10; i++) {
      live.put("a", "" + i);
    }
    live.compact(6, true);
    Stream stream = new Stream();
    stream.create(on("a").setStartRevision(5).setWatchId(4));
    stream.created();
    WatchResponse gone = stream.next();
    assertThat(gone.getCanceled()).isTrue();
    assertThat(gone.getCompactRevision()).isEqualTo(6);
    assertThat(gone.getHeader().getRevision()).isZero();
    assertThat(gone.getCancelReason()).isEmpty();
    stream.create(on("a").setWatchId(4));
    assertThat(stream.next().getCancelReason()).contains("duplicate watch ID");
    stream.session.cancel(4);
    assertThat(stream.next().getCanceled()).isTrue();
    stream.create(on("a").setWatchId(4).setStartRevision(6).setPrevKv(true));
    stream.created();
    WatchResponse events = stream.next();
    assertThat(events.getEventsCount()).isEqualTo(6);
    assertThat(events.getEvents(0).hasPrevKv()).as("it is compacted").isFalse();
    assertThat(events.getEvents(1).hasPrevKv()).isTrue();
  }

  @Test
  void progressIsToldOnlyOnceEveryWatcherIsWhereItWantedToBegin() throws Exception {
    long revision = live.put("a", "1");
    Stream stream = new Stream();
    stream.session.progress();
    stream.create(on("a").setStartRevision(revision + 1));
    stream.created();
    stream.session.progress();
    long later = live.put("z", "1");
    stream.session.progress();
    WatchResponse progress = stream.next();
    assertThat(progress.getWatchId()).isEqualTo(-1);
    assertThat(progress.getEventsCount()).isZero();
    assertThat(progress.getHeader().getRevision()).isEqualTo(later);
  }

  @Test
  void aFutureStartHearsNothingOfWhatComesBefore() throws Exception {
    long revision = live.put("a", "0");
    Stream stream = new Stream();
    stream.create(on("a").setStartRevision(revision + 5).setProgressNotify(true));
    stream.created();
    for (int i = 1; i <= 5; i++) {
      live.put("a", "" + i);
    }
    WatchResponse first = stream.next();
    assertThat(first.getEvents(0).getKv().getModRevision()).isEqualTo(revision + 5);
    assertThat(first.getEventsCount()).isEqualTo(1);
  }

  @Test
  void historyComesInResponsesOfAThousandRevisionsAtMost() throws Exception {
    for (int i = 0; i < 2_500; i++) {
      live.putSoon("a", "v");
    }
    long revision = live.put("b", "v");
    Stream stream = new Stream();
    stream.create(on("a").setStartRevision(2));
    stream.created();
    List<Integer> sizes = new ArrayList<>();
    for (int seen = 0; seen < 2_500; seen += sizes.getLast()) {
      WatchResponse response = stream.next();
      assertThat(response.getHeader().getRevision()).isEqualTo(revision);
      sizes.add(response.getEventsCount());
    }
    assertThat(sizes).allMatch(size -> size <= 1_000);
  }

  @Test
  void largeHistoryIsReadInSmallWindows() throws Exception {
    String large = "x".repeat(15_000);
    for (int i = 0; i < 1_000; i++) {
      live.putSoon("a", large);
    }
    live.put("b", "v");
    Stream stream = new Stream();
    stream.create(on("a").setStartRevision(2));
    stream.created();
    int responses = 0;
    for (int seen = 0; seen < 1_000; responses++) {
      WatchResponse response = stream.next();
      assertThat(response.getSerializedSize()).isLessThan(8 << 20);
      seen += response.getEventsCount();
    }
    assertThat(responses).isGreaterThan(2);
  }

  @Test
  void aFragmentIsBelowTheLimitAndOnlyTheLastSaysSo() throws Exception {
    int limit = 16 * 1024 + 512 * 1024;
    String value = "x".repeat(10_000);
    for (int i = 0; i < 100; i++) {
      live.putSoon("a" + i, value);
    }
    live.put("b", "v");
    Stream stream = new Stream();
    stream.create(on("a").setRangeEnd(bytes("b")).setStartRevision(2).setFragment(true));
    stream.created();
    int seen = 0;
    boolean fragment = false;
    int fragments = 0;
    while (seen < 100 || fragment) {
      WatchResponse response = stream.next();
      assertThat(response.getSerializedSize()).isLessThan(limit);
      seen += response.getEventsCount();
      fragment = response.getFragment();
      fragments += fragment ? 1 : 0;
    }
    assertThat(seen).isEqualTo(100);
    assertThat(fragments).isPositive();
  }

  @Test
  void aDeletionAtTheCompactedRevisionIsStillHeardOf() throws Exception {
    live.put("a", "1");
    live.delete("a");
    long deleted = live.all().getHeader().getRevision();
    live.put("b", "1");
    live.compact(deleted, true);
    Stream stream = new Stream();
    stream.create(on("a").setStartRevision(deleted));
    stream.created();
    WatchResponse events = stream.next();
    assertThat(events.getEventsList()).hasSize(1);
    assertThat(events.getEvents(0).getType()).isEqualTo(EventType.DELETE);
    assertThat(events.getEvents(0).getKv().getModRevision()).isEqualTo(deleted);
  }

  @Test
  void filtersDropAndWhatIsUnknownIsPassedOver() throws Exception {
    Stream stream = new Stream();
    stream.create(on("a").addFilters(FilterType.NOPUT).addFiltersValue(7));
    stream.created();
    live.put("a", "1");
    live.delete("a");
    WatchResponse only = stream.next();
    assertThat(only.getEvents(0).getType()).isEqualTo(EventType.DELETE);
    assertThat(only.getEvents(0).getKv().getVersion()).isZero();
  }

  @Test
  void twoThousandWatchersOnOneSlowStreamAllHearEverything() throws Exception {
    int watchers = 2_000;
    int puts = 30;
    Stream stream = new Stream();
    for (int i = 0; i < watchers; i++) {
      stream.create(on("a").setPrevKv(i % 2 == 0));
    }
    for (int i = 0; i < watchers; i++) {
      stream.created();
    }
    long first = live.put("a", "0");
    for (int i = 1; i < puts; i++) {
      live.put("a", "" + i); // nobody reads meanwhile
    }
    Map<Long, Long> next = new HashMap<>();
    int done = 0;
    while (done < watchers) {
      WatchResponse response = stream.next();
      for (var event : response.getEventsList()) {
        long expected = next.getOrDefault(response.getWatchId(), first);
        assertThat(event.getKv().getModRevision()).isEqualTo(expected);
        assertThat(event.hasPrevKv()).isEqualTo(response.getWatchId() % 2 == 0 && expected > first);
        next.put(response.getWatchId(), expected + 1);
        done += expected == first + puts - 1 ? 1 : 0;
      }
    }
  }

  @Test
  void aClientThatAsksAndNeverListensIsNotReadOn() throws Exception {
    Stream stream = new Stream();
    int asked = 0;
    for (; stream.session.takesRequests(); asked++) {
      stream.create(on("a"));
    }
    assertThat(asked).isLessThan(1_000);
    for (int i = 0; i < asked; i++) {
      stream.created();
    }
    assertThat(stream.session.takesRequests()).isTrue();
  }

  @Test
  void aStreamNobodyReadsHoldsUpNeitherWritesNorOthers() throws Exception {
    Stream idle = new Stream();
    idle.create(on("a"));
    Stream quick = new Stream();
    quick.create(on("a"));
    quick.created();
    long expected = 0;
    for (int i = 0; i < 1_000; i++) {
      long revision = live.put("a", "x".repeat(1_000));
      expected = expected == 0 ? revision : expected;
      WatchResponse response = quick.next();
      assertThat(response.getEvents(0).getKv().getModRevision()).isEqualTo(expected++);
    }
    idle.session.close();
    idle.session.close();
    quick.session.progress();
    assertThat(quick.next().getWatchId()).as("the hub has dealt with the closing").isEqualTo(-1);
    assertThat(idle.session.poll()).isNull();
    ByteString value = live.all().getKvs(0).getValue();
    assertThat(value.size()).isEqualTo(1_000);
  }
}
