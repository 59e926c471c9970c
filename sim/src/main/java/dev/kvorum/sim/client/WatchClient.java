package dev.kvorum.sim.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvorum.api.Encoded;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest;
import dev.kvorum.api.etcdserverpb.WatchCreateRequest.FilterType;
import dev.kvorum.api.etcdserverpb.WatchResponse;
import dev.kvorum.env.Bytes;
import dev.kvorum.member.Member;
import dev.kvorum.member.watch.WatchSession;
import dev.kvorum.sim.cluster.Cluster;
import dev.kvorum.sim.cluster.Node;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.SimHost;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// A client that watches a range of keys, reads at its own pace, and when its stream breaks resumes with another member
/// after the last revision it was told of.
public final class WatchClient {
  private final Cluster cluster;
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final Watching watching;
  private final Caller caller;
  private final boolean slow;
  private @Nullable Line line;

  /// A stream that is open: its two ends, and what is on its way between them.
  private final class Line {
    final Watching.Stream stream;
    final Node node;
    final SimHost host;
    @Nullable WatchSession session;
    boolean pumping;
    boolean broken;
    long lastArrivalNanos;

    Line(Watching.Stream stream, Node node, SimHost host) {
      this.stream = stream;
      this.node = node;
      this.host = host;
    }

    /// The process of a member that has given up ends, and its connections with it.
    boolean isGone() {
      return !host.isAlive() || node.phase() == Node.Phase.HALTED;
    }
  }

  public WatchClient(Cluster cluster, SplittableRandom random, Memory memory, int number, int keys) {
    this.cluster = cluster;
    this.scheduler = cluster.scheduler();
    this.random = random;
    this.caller = new Caller(cluster, random.split(), "watch" + number);
    this.slow = random.nextInt(4) == 0;
    this.watching = draw(number, keys);
    memory.watches().add(watching);
  }

  /// The first sees everything there is; what the others see is drawn.
  private Watching draw(int number, int keys) {
    Bytes zero = Bytes.wrap(new byte[] {0});
    if (number == 0) {
      return new Watching("watch0", zero, zero, true, false, false, false, 2);
    }
    Bytes key = Bytes.utf8("k%02d".formatted(random.nextInt(keys)));
    Bytes end = switch (random.nextInt(3)) {
      case 0 -> Bytes.EMPTY;
      case 1 -> zero;
      default -> Bytes.utf8("k%02d".formatted(random.nextInt(keys) + 1));
    };
    if (end.size() > 1 && end.compareTo(key) <= 0) {
      end = zero;
    }
    boolean noPut = random.nextInt(6) == 0;
    return new Watching(
        "watch" + number, key, end, random.nextBoolean(), noPut, !noPut && random.nextInt(6) == 0, random.nextBoolean(),
        random.nextInt(3));
  }

  public Watching watching() {
    return watching;
  }

  public void begin() {
    scheduler.spawn(null, watching.name(), this::live);
  }

  private void live() {
    while (true) {
      Line open = line;
      if (open == null) {
        connect();
      } else if (open.broken || open.isGone() || !cluster.isWell(open.node) || !cluster.isHealing() && random.nextInt(60) == 0) {
        drop(open);
      } else if (random.nextInt(4) == 0 || cluster.isHealing()) {
        onHost(open, () -> {
          WatchSession session = open.session;
          if (session != null && session.takesRequests()) {
            session.progress();
          }
        });
      }
      scheduler.sleep(50_000_000 + random.nextLong(500_000_000));
    }
  }

  private void onHost(Line open, Runnable action) {
    scheduler.after(caller.delay(), () -> Caller.front(open.host, action));
  }

  private void connect() {
    Node node = cluster.anyWell(random);
    Member member = node == null ? null : node.member();
    SimHost host = node == null ? null : node.host();
    if (node == null || member == null || host == null) {
      return;
    }
    Watching.Stream stream = new Watching.Stream(host.name(), watching.next);
    watching.streams().add(stream);
    Line open = new Line(stream, node, host);
    line = open;
    WatchCreateRequest.Builder request =
        WatchCreateRequest.newBuilder()
            .setKey(ByteString.copyFrom(watching.key().array()))
            .setRangeEnd(ByteString.copyFrom(watching.end().array()))
            .setStartRevision(watching.next)
            .setPrevKv(watching.prevKv())
            .setFragment(watching.fragment())
            .setProgressNotify(random.nextBoolean());
    if (watching.noPut()) {
      request.addFilters(FilterType.NOPUT);
    }
    if (watching.noDelete()) {
      request.addFilters(FilterType.NODELETE);
    }
    scheduler.trace().event(scheduler.now(), watching.name(), host.name() + " from", watching.next, 0);
    onHost(
        open,
        () -> {
          WatchSession session = member.watches().open(() -> Caller.front(host, () -> pump(open)));
          open.session = session;
          session.create(request.build());
        });
  }

  /// On the member's side: takes what there is, no faster than the client reads.
  private void pump(Line open) {
    WatchSession session = open.session;
    if (session == null || open.pumping || open.broken) {
      return;
    }
    open.pumping = true;
    for (Encoded next = session.poll(); next != null; next = session.poll()) {
      byte[] bytes = next.toByteArray();
      long arrival = Math.max(open.lastArrivalNanos + 1, scheduler.now() + caller.delay());
      open.lastArrivalNanos = arrival;
      scheduler.after(arrival - scheduler.now(), () -> receive(open, bytes));
      if (slow && !cluster.isHealing()) {
        scheduler.sleep(random.nextLong(100_000_000));
      }
    }
    open.pumping = false;
  }

  private void drop(Line open) {
    open.broken = true;
    line = null;
    while (!open.stream.responses.isEmpty() && open.stream.responses.getLast().getFragment()) {
      open.stream.responses.removeLast(); // parts without their end: nothing is resumed from them
    }
    WatchSession session = open.session;
    if (session != null) {
      onHost(open, session::close);
    }
  }

  private void receive(Line open, byte[] bytes) {
    if (open.broken || line != open) {
      return;
    }
    WatchResponse response;
    try {
      response = WatchResponse.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a watch response that is none", e);
    }
    open.stream.responses.add(response);
    scheduler.trace().event(
        scheduler.now(), watching.name(), "hears", response.getHeader().getRevision(), response.getEventsCount());
    if (scheduler.trace().isTold()) {
      scheduler.trace().aside(scheduler.now(), watching.name(), response.toString().replace('\n', ' '));
    }
    if (response.getCompactRevision() != 0) {
      watching.next = response.getCompactRevision();
      open.broken = true;
    } else if (response.getCanceled()) {
      open.broken = true;
    } else if (response.getEventsCount() > 0 && !response.getFragment()) {
      watching.next = response.getEvents(response.getEventsCount() - 1).getKv().getModRevision() + 1;
    } else if (response.getCreated() && watching.next == 0) {
      watching.next = response.getHeader().getRevision() + 1;
    } else if (!response.getCreated() && response.getEventsCount() == 0) {
      watching.next = Math.max(watching.next, response.getHeader().getRevision() + 1);
    }
  }
}
