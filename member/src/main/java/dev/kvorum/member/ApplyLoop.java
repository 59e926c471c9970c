package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Failpoint;
import dev.kvorum.env.Failpoints;
import dev.kvorum.env.Invariant;
import dev.kvorum.env.Loop;
import dev.kvorum.env.World;
import dev.kvorum.member.watch.WatchHub;
import dev.kvorum.raft.ConfChange;
import dev.kvorum.raft.ConfChangeCodec;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.Message;
import dev.kvorum.raft.Snapshot;
import dev.kvorum.state.ApplyOutcome;
import dev.kvorum.state.Effect;
import dev.kvorum.state.Proposal;
import dev.kvorum.state.RequestCodec;
import dev.kvorum.state.StateMachine;
import dev.kvorum.state.keys.Event;
import dev.kvorum.state.membership.MembershipChange;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Applies committed entries in order to the state machine, which it owns.
///
/// A turn applies all that has been committed, then publishes one view, hands the events to [WatchHub], answers whoever
/// waited, and only then tells raft: so whoever has an answer finds its effect in any view, and is before it in no watch.
final class ApplyLoop {
  private final Loop loop;
  private final Failpoints failpoints;
  private final StateMachine machine;
  private final Waiters waiters;
  private final EffectHandler effects;
  private final RequestTimes times;
  private final PriorityQueue<Blocked> blocked = new PriorityQueue<>();
  private long blockedMade;
  private long leaderships;
  private WatchHub hub;

  // Gathered in this turn.
  private final List<Event> events = new ArrayList<>();
  private final List<Done> done = new ArrayList<>();
  private final List<Message> responses = new ArrayList<>();
  private RaftLoop raftLoop;
  /// What has to wait while a snapshot takes the state's place; null when none does.
  private @Nullable Queue<Runnable> installing;
  private long index;
  private long term;
  private boolean turned;
  private long turnBytes;

  private volatile long appliedIndex;
  private volatile long appliedTerm;

  /// What a turn's end and an entry's effects mean to the rest of the member. On the apply loop.
  interface EffectHandler {
    void handle(Effect effect);

    void applied(Entry entry, ApplyOutcome outcome);

    /// Proposes the NOSPACE alarm of this member, then runs `then`.
    void raiseNoSpace(Runnable then);

    /// Everything up to `index` is applied and published.
    ///
    /// @param bytes of the entries that this turn applied
    void turnEnded(long index, long bytes);

    /// The first entry of this member's own term as leader is applied: it is up to date.
    void leads();

    void leadsNoMore();

    /// A snapshot from the leader is to take the state's place; `loaded` hears, on any loop, what it holds.
    void install(Snapshot snapshot, Consumer<StateMachine> loaded);

    /// It has: everything derived from the state is to be derived anew. Its view is published.
    void installed(Snapshot snapshot);
  }

  private record Done(Waiter waiter, ApplyOutcome outcome) {}

  /// Someone who waits for an index to be applied; first come, first served among equals.
  private record Blocked(long index, long order, Executor home, Runnable then, Consumer<EtcdException> refuse)
      implements Comparable<Blocked> {
    @Override
    public int compareTo(Blocked other) {
      int byIndex = Long.compare(index, other.index);
      return byIndex != 0 ? byIndex : Long.compare(order, other.order);
    }
  }

  @SuppressWarnings("NullAway.Init") // hub and raft loop are set before the first entry comes
  ApplyLoop(
      World world,
      StateMachine machine,
      Waiters waiters,
      EffectHandler effects,
      RequestTimes times,
      long startIndex,
      long startTerm,
      Halt halt) {
    this.failpoints = world.failpoints();
    this.machine = machine;
    this.waiters = waiters;
    this.effects = effects;
    this.times = times;
    this.index = startIndex;
    this.term = startTerm;
    this.appliedIndex = startIndex;
    this.loop =
        world
            .loops()
            .loop("apply", Integer.MAX_VALUE, this::endTurn, failure -> halt.because("apply loop", failure));
  }

  void start(WatchHub watchHub) {
    loop.execute(() -> hub = watchHub);
  }

  Loop loop() {
    return loop;
  }

  StateMachine machine() {
    loop.assertCurrent();
    return machine;
  }

  /// The last entry whose effects every reader sees. Any thread.
  long appliedIndex() {
    return appliedIndex;
  }

  /// The term of that entry. Any thread.
  long appliedTerm() {
    return appliedTerm;
  }

  /// Runs `then` on `home` once `wanted` is applied and published, or `refuse` when the member stops first. Any thread.
  void whenApplied(long wanted, Executor home, Runnable then, Consumer<EtcdException> refuse) {
    if (appliedIndex >= wanted) {
      home.execute(then);
      return;
    }
    loop.execute(
        () -> {
          if (appliedIndex >= wanted) {
            home.execute(then);
          } else {
            blocked.add(new Blocked(wanted, blockedMade++, home, then, refuse));
          }
        });
  }

  /// Entries that raft says are committed. From the raft loop.
  void apply(Message.StorageApply message, RaftLoop from) {
    loop.execute(
        () -> {
          if (installing == null) {
            applyNow(message, from);
          } else {
            installing.add(() -> applyNow(message, from));
          }
        });
  }

  private void applyNow(Message.StorageApply message, RaftLoop from) {
    raftLoop = from;
    turned = true;
    try {
      for (Entry entry : message.entries()) {
        apply(entry);
      }
    } catch (IOException e) {
      throw new DiskFailure("apply an entry", e);
    }
    responses.addAll(message.responses());
  }

  /// Hears where the state stands.
  @FunctionalInterface
  interface Settled {
    void at(long index, long term);
  }

  /// Runs `then`, on this loop, with the last entry applied: between two entries, and not while a snapshot is put in
  /// place. Any thread.
  void whenSettled(Settled then) {
    loop.execute(
        () -> {
          if (installing == null) {
            then.at(index, term);
          } else {
            installing.add(() -> then.at(index, term));
          }
        });
  }

  /// A snapshot from the leader, durable as file and in the log. What is applied after it waits until it is in place;
  /// meanwhile everyone reads what there was. From the raft loop.
  void install(Snapshot snapshot) {
    loop.execute(
        () -> {
          if (installing == null) {
            installNow(snapshot);
          } else {
            installing.add(() -> installNow(snapshot));
          }
        });
  }

  private void installNow(Snapshot snapshot) {
    Invariant.check(
        snapshot.index() > index, () -> "a snapshot at " + snapshot.index() + " came when " + index + " was applied");
    endTurn(); // what was applied before it belongs to the state that goes
    Queue<Runnable> waiting = new ArrayDeque<>();
    installing = waiting;
    effects.install(snapshot, received -> loop.execute(() -> installed(snapshot, received, waiting)));
  }

  private void installed(Snapshot snapshot, StateMachine received, Queue<Runnable> waiting) {
    long stored = received.applier().appliedIndex();
    Invariant.check(
        stored >= snapshot.index(), () -> "the database of snapshot " + snapshot.index() + " is at " + stored);
    try {
      machine.become(received);
    } catch (IOException e) {
      throw new DiskFailure("let go of the state before the leader's snapshot", e);
    }
    index = snapshot.index();
    term = snapshot.term();
    machine.keys().publish();
    appliedTerm = term;
    appliedIndex = index;
    hub.jumped(machine.keys().currentRevision());
    effects.installed(snapshot);
    runBlocked();
    installing = null;
    for (Runnable next = waiting.poll(); next != null; next = waiting.poll()) {
      if (installing == null) {
        next.run();
      } else {
        installing.add(next); // another snapshot came among them
      }
    }
  }

  private void apply(Entry entry) throws IOException {
    if (entry.index() <= index) {
      return; // raft repeats what follows its snapshot after a restart
    }
    Invariant.check(entry.index() == index + 1, () -> "entry " + entry.index() + " follows " + index);
    switch (entry.type()) {
      case NORMAL -> {
        if (entry.data().isEmpty()) {
          machine.applier().applyEmpty(entry.index(), entry.term());
        } else {
          failpoints.reach(Failpoint.BEFORE_APPLY_ONE_ENTRY_NORMAL);
          applyRequest(entry);
        }
      }
      case CONF_CHANGE -> {
        failpoints.reach(Failpoint.BEFORE_APPLY_ONE_CONF_CHANGE);
        applyConfChange(entry);
      }
      case CONF_CHANGE_V2 ->
          throw new IOException("entry " + entry.index() + " is a joint configuration change, which etcd never makes");
    }
    index = entry.index();
    turnBytes += entry.data().size();
    term = entry.term();
  }

  private void applyRequest(Entry entry) throws IOException {
    Proposal proposal = RequestCodec.decode(entry.data().array());
    Waiter waiter = waiters.take(proposal.header().id());
    long begun = times.now();
    ApplyOutcome outcome =
        machine
            .applier()
            .apply(entry.index(), entry.term(), proposal.header(), proposal.request(), waiter != null);
    times.applied(proposal.request(), outcome.refusal() == null, begun);
    times.changed(outcome.events());
    events.addAll(outcome.events());
    effects.applied(entry, outcome);
    finish(waiter, outcome);
  }

  private void applyConfChange(Entry entry) throws IOException {
    ConfChange.V1 change = ConfChangeCodec.decodeV1(entry.data());
    MembershipChange membership =
        new MembershipChange(
            change.id(), MembershipChange.Type.values()[change.type().ordinal()], change.nodeId(), change.context());
    Waiter waiter = waiters.take(change.id());
    ApplyOutcome outcome =
        machine.applier().applyMembershipChange(entry.index(), entry.term(), membership);
    if (outcome.result() != ApplyOutcome.Result.Skipped.REPLAYED) {
      tellRaft(entry.index(), change, outcome);
    }
    effects.applied(entry, outcome);
    finish(waiter, outcome);
  }

  /// Raft learns of the change before it hears that the entry is applied; a refused one concerns no node.
  private void tellRaft(long at, ConfChange.V1 change, ApplyOutcome outcome) {
    boolean refused = outcome.refusal() != null;
    raftLoop.applyConfChange(
        at, refused ? new ConfChange.V1(change.id(), change.type(), 0, change.context()) : change);
    if (!refused) {
      machine.applier().confState(Memberships.storedConfState(machine.membership().view()));
    }
  }

  private void finish(@Nullable Waiter waiter, ApplyOutcome outcome) {
    for (Effect effect : outcome.effects()) {
      if (effect instanceof Effect.RaiseNoSpace && waiter != null) {
        effects.raiseNoSpace(() -> waiter.applied(outcome)); // the client hears only once the alarm is raised
        return;
      }
      effects.handle(effect);
    }
    if (waiter != null) {
      done.add(new Done(waiter, outcome));
    }
  }

  private void endTurn() {
    if (!turned) {
      return;
    }
    turned = false;
    machine.keys().publish();
    appliedTerm = term;
    appliedIndex = index;
    if (!events.isEmpty()) {
      hub.publish(events, machine.keys().currentRevision());
      events.clear();
    }
    for (Done one : done) {
      one.waiter().applied(one.outcome());
    }
    done.clear();
    runBlocked();
    effects.turnEnded(index, turnBytes);
    turnBytes = 0;
    raftLoop.applied(List.copyOf(responses));
    responses.clear();
  }

  private void runBlocked() {
    while (!blocked.isEmpty() && blocked.peek().index() <= index) {
      Blocked ready = blocked.poll();
      ready.home().execute(ready.then());
    }
  }

  /// From the raft loop. A leader counts as such here once all before its term is applied.
  void leadershipChanged(boolean leads, long untilIndex) {
    loop.execute(
        () -> {
          long mine = ++leaderships;
          if (leads) {
            whenApplied(untilIndex, loop, () -> leadsIfStill(mine), why -> {});
          } else {
            effects.leadsNoMore();
          }
        });
  }

  /// It may have been overthrown before it was up to date.
  private void leadsIfStill(long leadership) {
    if (leadership == leaderships) {
      effects.leads();
    }
  }

  void stop() {
    loop.execute(this::refuseBlocked);
    loop.stop();
  }

  /// What they wait for may be committed, but will not be applied any more.
  private void refuseBlocked() {
    for (Blocked one = blocked.poll(); one != null; one = blocked.poll()) {
      Blocked late = one;
      late.home().execute(() -> late.refuse().accept(EtcdException.of(EtcdError.STOPPED)));
    }
  }

  boolean awaitStopped(long timeoutNanos) throws InterruptedException {
    return loop.awaitStopped(timeoutNanos);
  }
}
