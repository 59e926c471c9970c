package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Clock;
import dev.kvorum.raft.ReadState;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Linearizable reads: a read may be served once everything committed when it arrived has been applied here, and this
/// member's leader was a leader after that (Raft thesis §6.4).
///
/// One round serves all readers that waited when it began. A round is asked for again, under a new id, every 500 ms
/// until its readers' time is up; an answer to any of its ids counts. Owned by the raft loop.
///
/// A sole voter that leads needs no round: nobody else can have been elected without its vote, so the commit index it
/// has published is the one to wait for, and the reader's own thread can see to it.
final class ReadIndex {
  private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private final Clock clock;
  private final MemberConfig config;
  private final RaftLoop raftLoop;
  private final ApplyLoop applyLoop;
  private final RequestIds ids;
  private List<Reader> gathering = new ArrayList<>();
  private List<Reader> inRound = List.of();
  private final Set<Bytes> roundIds = new LinkedHashSet<>();
  private long roundSentNanos;

  private record Reader(Runnable serve, Consumer<EtcdException> refuse, Executor home, long deadlineNanos) {
    void refuse(EtcdError why) {
      home.execute(() -> refuse.accept(EtcdException.of(why)));
    }
  }

  ReadIndex(Clock clock, MemberConfig config, RaftLoop raftLoop, ApplyLoop applyLoop, RequestIds ids) {
    this.clock = clock;
    this.config = config;
    this.raftLoop = raftLoop;
    this.applyLoop = applyLoop;
    this.ids = ids;
  }

  /// Runs `serve` when a read that arrives now may be served: at once on this thread if that is known, else later on
  /// `home`. Any thread.
  void await(Executor home, Runnable serve, Consumer<EtcdException> refuse) {
    RaftStatus raft = raftLoop.status();
    if (raft.leader() && raft.soleVoter() && applyLoop.appliedTerm() == raft.term()) {
      if (applyLoop.appliedIndex() >= raft.committed()) {
        serve.run();
      } else {
        applyLoop.whenApplied(raft.committed(), home, serve, refuse);
      }
      return;
    }
    Reader reader = new Reader(serve, refuse, home, clock.nanos() + config.requestTimeoutNanos());
    if (!raftLoop.loop().offer(() -> gathering.add(reader))) {
      refuse.accept(raftLoop.refusal());
    }
  }

  /// Begins a round for those who gathered, unless one is under way.
  void begin() {
    if (inRound.isEmpty() && !gathering.isEmpty()) {
      inRound = gathering;
      gathering = new ArrayList<>();
      send();
    }
  }

  private void send() {
    Bytes id = Bytes.wrap(ByteBuffer.allocate(Long.BYTES).putLong(ids.next()).array());
    roundIds.add(id);
    roundSentNanos = clock.nanos();
    raftLoop.requestReadIndex(id);
  }

  void confirmed(ReadState state) {
    if (!roundIds.contains(state.context())) {
      return; // of a round given up
    }
    List<Reader> readers = endRound();
    for (Reader reader : readers) {
      applyLoop.whenApplied(state.index(), reader.home, reader.serve, reader.refuse);
    }
    begin();
  }

  private List<Reader> endRound() {
    List<Reader> readers = inRound;
    inRound = List.of();
    roundIds.clear();
    return readers;
  }

  void tick() {
    long now = clock.nanos();
    gathering = refuseLate(gathering, now);
    if (!inRound.isEmpty()) {
      inRound = refuseLate(inRound, now);
      if (inRound.isEmpty()) {
        roundIds.clear();
      } else if (now - roundSentNanos >= RETRY_NANOS) {
        send();
      }
    }
  }

  private static List<Reader> refuseLate(List<Reader> readers, long now) {
    List<Reader> left = new ArrayList<>();
    for (Reader reader : readers) {
      if (now - reader.deadlineNanos >= 0) {
        reader.refuse(EtcdError.TIMEOUT);
      } else {
        left.add(reader);
      }
    }
    return left;
  }

  void leaderChanged() {
    for (Reader reader : endRound()) {
      reader.refuse(EtcdError.LEADER_CHANGED);
    }
  }

  void stop() {
    List<Reader> all = new ArrayList<>(endRound());
    all.addAll(gathering);
    gathering = new ArrayList<>();
    for (Reader reader : all) {
      reader.refuse(EtcdError.STOPPED);
    }
  }
}
