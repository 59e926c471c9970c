package dev.kvorum.fuzz;

import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Disk;
import dev.kvorum.state.ApplyOutcome;
import dev.kvorum.state.Proposal;
import dev.kvorum.state.Request;
import dev.kvorum.state.StateMachine;
import dev.kvorum.state.StateOptions;
import dev.kvorum.state.UnappliableException;
import dev.kvorum.state.backend.BackendCommit;
import dev.kvorum.state.keys.Compaction;
import dev.kvorum.state.keys.KeyRange;
import dev.kvorum.state.keys.KvView;
import dev.kvorum.state.keys.RangeOptions;
import dev.kvorum.state.keys.RangeResult;
import dev.kvorum.state.membership.Member;
import dev.kvorum.state.membership.MembershipChange;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/// All that a member does with its db: loading, reading, applying, compacting; and loading once more.
final class StateExercise {
  private static final StateOptions OPTIONS =
      StateOptions.defaults().withBolt(BoltFiles.options(1024).withNoSync(true));

  private final Disk disk;

  private StateExercise(Disk disk) {
    this.disk = disk;
  }

  /// @param proposals applied behind what the db holds
  /// @return how many were applied
  static int of(MemoryDisk disk, List<Proposal> proposals) throws IOException {
    return new StateExercise(disk).run(proposals);
  }

  private int run(List<Proposal> proposals) throws IOException {
    int applied = 0;
    long revision;
    byte[][] kvs;
    try (StateMachine state = StateMachine.open(disk, BoltFiles.PATH, OPTIONS)) {
      state.checkInvariants();
      state.keys().publish();
      read(state);
      applied = apply(state, proposals);
      commit(state);
      read(state);
      state.checkInvariants();
      KvView view = state.keys().view();
      revision = view.currentRevision();
      kvs = view.range(KeyRange.all(), RangeOptions.LATEST).kvs();
    }
    try (StateMachine state = StateMachine.open(disk, BoltFiles.PATH, OPTIONS)) {
      state.checkInvariants();
      state.keys().publish();
      KvView view = state.keys().view();
      if (view.currentRevision() > revision
          || !Arrays.deepEquals(kvs, view.range(KeyRange.all(), RangeOptions.LATEST).kvs())) {
        throw new AssertionError("opened again, the state is another");
      }
    }
    return applied;
  }

  private int apply(StateMachine state, List<Proposal> proposals) throws IOException {
    long index = state.applier().appliedIndex();
    int applied = 0;
    if (index == 0) {
      Member first = Member.voter(9, List.of("http://localhost:2380"));
      state.applier().applyMembershipChange(++index, 1, MembershipChange.add(1, first));
    }
    for (Proposal proposal : proposals) {
      if (index == Long.MAX_VALUE) {
        return applied; // no member ever counted so far
      }
      ApplyOutcome outcome;
      try {
        outcome = state.applier().apply(++index, 1, proposal.header(), proposal.request());
      } catch (UnappliableException refused) {
        continue; // a member stops; but nothing was changed, so the next must work
      }
      applied++;
      state.keys().publish();
      if (outcome.refusal() == null && proposal.request() instanceof Request.Compact) {
        commit(state);
        compact(state);
      }
    }
    return applied;
  }

  private void compact(StateMachine state) throws IOException {
    while (!state.keys().compactIndexStep(16)) {
      // some leaves at a time
    }
    for (Compaction compaction = state.keys().compaction(); compaction != null && compaction.isReady();
        compaction = state.keys().compaction()) {
      BackendCommit commit = compaction.backendStep(1000);
      if (commit == null) {
        return;
      }
      state.keys().compacted(compaction, commit);
    }
  }

  private void commit(StateMachine state) throws IOException {
    state.keys().committed(state.backend().write(state.backend().take()));
  }

  private void read(StateMachine state) throws IOException {
    KvView view = state.keys().view();
    long current = view.currentRevision();
    state.confState();
    state.membership();
    state.leaseExpiry(1, 1, 0);
    state.backend().hash();
    RangeResult all = view.range(KeyRange.all(), RangeOptions.LATEST);
    if (all.kvs().length != all.count()) {
      throw new AssertionError(all.count() + " keys counted, " + all.kvs().length + " read");
    }
    view.range(KeyRange.all(), RangeOptions.LATEST.limit(3).sorted(
        RangeOptions.SortTarget.VALUE, RangeOptions.SortOrder.DESCEND));
    for (long revision : new long[] {current, current - 1, current / 2, 1}) {
      try {
        view.range(KeyRange.all(), RangeOptions.LATEST.at(revision));
        view.hashByRevision(revision);
        view.get(Bytes.utf8("a"), revision);
      } catch (EtcdException refused) {
        // compacted, or still to come
      }
    }
    if (view.compactRevision() < current) {
      view.events(Math.max(1, view.compactRevision() + 1), current + 1, 100, null);
    }
  }
}
