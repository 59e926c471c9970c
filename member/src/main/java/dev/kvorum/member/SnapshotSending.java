package dev.kvorum.member;

import dev.kvorum.env.World;
import dev.kvorum.member.peer.PeerLinks;
import dev.kvorum.raft.Message;
import dev.kvorum.raft.Snapshot;
import dev.kvorum.state.StateMachine;
import dev.kvorum.state.membership.MembershipView;
import java.util.concurrent.TimeUnit;

/// Sends the whole state to members that need more than the log in memory still has (Raft paper §7). Owned by the apply
/// loop.
///
/// Raft asks with a snapshot as old as its log; what goes out is the state as it is when the database can be read, with
/// the entries up to there and nothing later in it. While one is on its way the log keeps what comes after it: else its
/// receiver would need the next one at once.
final class SnapshotSending {
  private static final int UNDERWAY_MAX = 16;

  /// What a receiver has to take the snapshot in and ask for what follows.
  private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final World world;
  private final StateMachine machine;
  private final ApplyLoop applyLoop;
  private final BackendLoop backendLoop;
  private final Upkeep upkeep;
  private final RaftLoop raftLoop;
  private final PeerLinks links;
  private int underway;
  private long graceEndsNanos;

  SnapshotSending(
      World world,
      StateMachine machine,
      ApplyLoop applyLoop,
      BackendLoop backendLoop,
      Upkeep upkeep,
      RaftLoop raftLoop,
      PeerLinks links) {
    this.world = world;
    this.machine = machine;
    this.applyLoop = applyLoop;
    this.backendLoop = backendLoop;
    this.upkeep = upkeep;
    this.raftLoop = raftLoop;
    this.links = links;
    this.graceEndsNanos = world.clock().nanos();
  }

  /// From the raft loop.
  void send(Message.InstallSnapshot asked) {
    applyLoop.whenSettled(
        (index, term) -> {
          if (underway >= UNDERWAY_MAX || index < asked.snapshot().index()) {
            raftLoop.snapshotSent(asked.to(), false);
            return;
          }
          underway++;
          MembershipView members = machine.membership().view();
          // after a restart the state is ahead of the index until the log is replayed. Its own index is what the snapshot
          // must say: who starts from it would find a database ahead of its log. And to wait for the replay may be to wait
          // for ever, where nothing commits without the receiver
          long applied = machine.applier().appliedIndex();
          Snapshot snapshot =
              applied > index
                  ? snapshot(members, applied, machine.backend().batch().term())
                  : snapshot(members, index, term);
          upkeep.commit();
          backendLoop.openSnapshot(
              database ->
                  links.sendSnapshot(
                      new Message.InstallSnapshot(asked.to(), asked.from(), asked.term(), snapshot), database));
        });
  }

  private static Snapshot snapshot(MembershipView members, long index, long term) {
    return new Snapshot(Memberships.v2Document(members, index), Memberships.confState(members), index, term);
  }

  /// One has arrived, or failed. Any thread.
  void ended(boolean success) {
    applyLoop
        .loop()
        .execute(
            () -> {
              underway--;
              if (success) {
                graceEndsNanos = world.clock().nanos() + GRACE_NANOS;
              }
            });
  }

  /// Whether the log must keep what it has. On the apply loop.
  boolean holdsLog() {
    return underway > 0 || graceEndsNanos - world.clock().nanos() > 0;
  }
}
