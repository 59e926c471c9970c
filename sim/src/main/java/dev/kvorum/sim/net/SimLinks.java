package dev.kvorum.sim.net;

import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.env.Cancellable;
import dev.kvorum.member.Reply;
import dev.kvorum.member.peer.PeerCall;
import dev.kvorum.member.peer.PeerLinks;
import dev.kvorum.member.peer.PeerService;
import dev.kvorum.raft.Message;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.SimClock;
import dev.kvorum.sim.world.SimHost;
import dev.kvorum.state.backend.BackendSnapshot;
import dev.kvorum.state.membership.MembershipView;
import dev.kvorum.wal.SnapStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One process's end of the network. It dies with the process.
public final class SimLinks implements PeerLinks {
  private static final int CHUNK_BYTES = 32 << 10;
  private static final int DATABASE_BREAKS_PER_MILLE = 100;
  /// How many databases arrive though their sender believes that they have not.
  private static final int DATABASE_UNHEARD_PER_MILLE = 150;

  private static final long UNHEARD_LATE_NANOS = 1_000_000_000;

  private final SimNetwork network;
  private final Scheduler scheduler;
  private final SimHost host;
  private final SimClock clock;
  /// Databases sent whose fate is not known yet.
  private final List<Message> pending = new ArrayList<>();
  /// Of databases that came whole, and of which the member has not been told.
  private final List<Message> heldBack = new ArrayList<>();
  private @Nullable PeerService local;
  private long self;
  private boolean stopped;
  private boolean fair;

  SimLinks(SimNetwork network, SimHost host, SimClock clock) {
    this.network = network;
    this.scheduler = network.scheduler();
    this.host = host;
    this.clock = clock;
  }

  /// From now on no database breaks off on its way by itself.
  public void beFair() {
    fair = true;
  }

  boolean isUp() {
    return local != null && !stopped && host.isAlive();
  }

  private PeerService service() {
    return java.util.Objects.requireNonNull(local);
  }

  @Override
  public void start(PeerService service) {
    local = service;
    self = service.memberId();
    network.add(self, this);
  }

  @Override
  public void members(MembershipView view) {
    // whoever is a member is in reach as far as the network has it
  }

  @Override
  public void send(Message message) {
    network.sent(message);
    long to = message.to();
    if (network.end(to) == null || network.isCut(self, to)) {
      trace("has nobody to send to", message);
      if (network.random().nextInt(4) == 0) {
        scheduler.after(network.delay(), () -> ifUp(() -> service().unreachable(to)));
      }
      return;
    }
    trace("sends", message);
    List<Long> arrivals = network.arrivals(self, to, !(message instanceof Message.Propose));
    for (long delay : arrivals) {
      scheduler.after(delay, () -> deliver(message));
    }
  }

  private void deliver(Message message) {
    SimLinks end = network.end(message.to());
    if (end != null && !network.isCut(self, message.to())) {
      end.trace("receives", message);
      end.service().receive(message);
    }
  }

  private void trace(String what, Message message) {
    scheduler.trace().event(scheduler.now(), host.name(), what + " " + message.type(), message.from(), message.to());
    if (scheduler.trace().isTold()) {
      scheduler.trace().aside(scheduler.now(), host.name(), message.toString());
    }
  }

  private void ifUp(Runnable action) {
    if (isUp()) {
      action.run();
    }
  }

  // ---- Databases

  @Override
  public void sendSnapshot(Message.InstallSnapshot message, BackendSnapshot database) {
    scheduler.spawn(
        host,
        host.name() + "/snapshot",
        () -> {
          List<byte[]> chunks = new ArrayList<>();
          try (database) {
            ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
            while (database.read(chunk.clear()) >= 0) {
              chunks.add(Arrays.copyOf(chunk.array(), chunk.position()));
            }
          } catch (IOException e) {
            trace("cannot read its database", message);
            ifUp(() -> service().snapshotSent(message.to(), false));
            return;
          }
          trace("sends its database", message);
          pending.add(message);
          scheduler.after(network.delay(), () -> arrive(message, chunks));
        });
  }

  private void arrive(Message.InstallSnapshot message, List<byte[]> chunks) {
    SimLinks end = network.end(message.to());
    if (end == null || !network.connects(self, message.to())) {
      sent(message, false);
      return;
    }
    int breaksAt =
        !fair && network.random().nextInt(1_000) < DATABASE_BREAKS_PER_MILLE
            ? network.random().nextInt(chunks.size() + 1)
            : Integer.MAX_VALUE;
    boolean unheard = !fair && network.random().nextInt(1_000) < DATABASE_UNHEARD_PER_MILLE;
    if (unheard) {
      sent(message, false);
    }
    scheduler.spawn(
        end.host,
        end.host.name() + "/receive",
        () -> {
          if (unheard) {
            scheduler.sleep(network.random().nextLong(UNHEARD_LATE_NANOS));
          }
          boolean kept = end.receive(message, chunks, breaksAt, () -> isUp() && network.connects(self, end.self));
          end.trace(kept ? "has received a database" : "has lost a database on its way", message);
          if (kept && unheard && network.random().nextBoolean()) {
            end.holdBack(message);
          } else if (kept) {
            end.letIn(message);
          }
          sent(message, kept);
        });
    watchOver(message, end);
  }

  /// The database is there whole, but whoever is to tell its member so is slow: until the next has come as well, perhaps.
  private void holdBack(Message.InstallSnapshot message) {
    heldBack.add(message);
    scheduler.spawn(
        host,
        host.name() + "/late",
        () -> {
          scheduler.sleep(2 * UNHEARD_LATE_NANOS);
          if (heldBack.removeIf(one -> one == message)) {
            service().receive(message);
          }
        });
  }

  private void letIn(Message.InstallSnapshot message) {
    heldBack.forEach(service()::receive);
    heldBack.clear();
    service().receive(message);
  }

  /// A receiver that dies answers nothing; its sender notices.
  private void watchOver(Message.InstallSnapshot message, SimLinks end) {
    scheduler.after(
        200_000_000,
        () -> {
          if (pending.stream().anyMatch(one -> one == message)) {
            if (end.isUp()) {
              watchOver(message, end);
            } else {
              sent(message, false);
            }
          }
        });
  }

  private boolean receive(
      Message.InstallSnapshot message, List<byte[]> chunks, int breaksAt, java.util.function.BooleanSupplier connected) {
    try (SnapStore.Receipt receipt = service().receiveDatabase(message.snapshot().index())) {
      int number = 0;
      for (byte[] chunk : chunks) {
        scheduler.sleep(network.delay() / 4);
        if (number++ >= breaksAt || !connected.getAsBoolean()) {
          return false;
        }
        receipt.write(ByteBuffer.wrap(chunk));
      }
      if (number >= breaksAt) {
        return false;
      }
      receipt.keep();
      return true;
    } catch (IOException e) {
      scheduler.trace().event(scheduler.now(), host.name(), "cannot keep a database: " + e);
      return false;
    }
  }

  private void sent(Message.InstallSnapshot message, boolean success) {
    scheduler.after(
        network.delay(),
        () -> {
          if (pending.removeIf(one -> one == message)) {
            ifUp(() -> service().snapshotSent(message.to(), success));
          }
        });
  }

  // ---- Reach, and calls

  @Override
  public long activeSinceNanos(long member) {
    long since = network.since(self, member);
    return since < 0 ? INACTIVE : clock.nanosAt(since);
  }

  @Override
  public <A> void call(long member, PeerCall<A> call, long timeoutNanos, Reply<A> reply) {
    Once<A> once = new Once<>(reply);
    once.timeout =
        scheduler.after(
            clock.simulated(timeoutNanos),
            () -> ifUp(() -> once.refuse(EtcdException.of(GrpcCode.UNAVAILABLE, "no answer in time"))));
    if (network.end(member) == null || network.isCut(self, member)) {
      scheduler.after(
          network.delay(),
          () -> ifUp(() -> once.refuse(EtcdException.of(GrpcCode.UNAVAILABLE, "out of reach"))));
      return;
    }
    for (long delay : network.arrivals(self, member, false)) {
      scheduler.after(delay, () -> serve(member, call, once));
    }
  }

  private <A> void serve(long member, PeerCall<A> call, Once<A> once) {
    SimLinks end = network.end(member);
    if (end == null || network.isCut(self, member)) {
      return;
    }
    end.service()
        .serve(
            call,
            new Reply<>() {
              @Override
              public void complete(A answer) {
                end.comeBack(SimLinks.this, () -> once.complete(answer));
              }

              @Override
              public void refuse(EtcdException why) {
                end.comeBack(SimLinks.this, () -> once.refuse(why));
              }
            });
  }

  private void comeBack(SimLinks to, Runnable answer) {
    network.arrivals(self, to.self, false).forEach(delay -> scheduler.after(delay, () -> to.ifUp(answer)));
  }

  /// The first answer counts.
  private static final class Once<A> implements Reply<A> {
    private final Reply<A> reply;
    private boolean answered;
    private @Nullable Cancellable timeout;

    Once(Reply<A> reply) {
      this.reply = reply;
    }

    private boolean isFirst() {
      boolean first = !answered;
      answered = true;
      if (timeout != null) {
        timeout.cancel();
      }
      return first;
    }

    @Override
    public void complete(A answer) {
      if (isFirst()) {
        reply.complete(answer);
      }
    }

    @Override
    public void refuse(EtcdException why) {
      if (isFirst()) {
        reply.refuse(why);
      }
    }
  }

  @Override
  public void stop() {
    stopped = true;
    network.remove(self, this);
  }
}
