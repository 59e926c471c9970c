package dev.kvorum.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.RealDisk;
import dev.kvorum.state.alarm.AlarmType;
import dev.kvorum.state.backend.BackendCommit;
import dev.kvorum.state.backend.WriteBatch;
import dev.kvorum.state.keys.Compaction;
import dev.kvorum.state.membership.Member;
import dev.kvorum.state.membership.MembershipChange;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// One log, applied by members that commit, compact and crash at different times, comes to one state and one set of
/// answers.
class ReplayTest {
  private static final int ENTRIES = 2_500;
  private static final ResponseCodec.Responder RESPONDER = new ResponseCodec.Responder(1, 2, 3);

  @TempDir Path directory;

  /// An entry of the log: one of the two, or neither for an empty one.
  private record LogEntry(@Nullable Request request, @Nullable MembershipChange change) {}

  @Test
  void membersAgreeWhateverTheirTiming() throws IOException {
    Random random = Seeds.random("membersAgreeWhateverTheirTiming");
    List<LogEntry> log = randomLog(random);
    List<String> expected = null;
    int kv = 0;
    int whole = 0;
    for (int i = 0; i < 4; i++) {
      int crashes = i < 2 ? 0 : 12;
      try (Replayer replayer = new Replayer(directory.resolve("db" + i), new Random(random.nextLong()), crashes)) {
        List<String> outcomes = replayer.run(log);
        replayer.settle();
        int hashKv = replayer.hashKv();
        int hash = replayer.state.backend().hash();
        if (expected == null) {
          expected = outcomes;
          kv = hashKv;
          whole = hash;
        }
        assertThat(outcomes).isEqualTo(expected);
        assertThat(hashKv).isEqualTo(kv);
        assertThat(hash).isEqualTo(whole);
      }
    }
  }

  private static List<LogEntry> randomLog(Random random) {
    RandomRequests requests = new RandomRequests(random, 25);
    List<LogEntry> log = new ArrayList<>();
    long[] leases = {1, 2, 3, 4};
    for (long id : new long[] {0x11, 0x22, 0x33}) {
      log.add(change(MembershipChange.add(0, Member.voter(id, List.of("http://" + id + ":1")))));
    }
    while (log.size() < ENTRIES) {
      log.add(switch (random.nextInt(40)) {
        case 0 -> new LogEntry(null, null);
        case 1, 2 -> entry(new Request.LeaseGrant(random.nextInt(100), leases[random.nextInt(leases.length)]));
        case 3 -> entry(new Request.LeaseRevoke(leases[random.nextInt(leases.length)]));
        case 4 -> entry(new Request.LeaseCheckpoint(
            List.of(new Request.LeaseCheckpoint.Remaining(1 + random.nextInt(4), random.nextInt(50)))));
        case 5 -> entry(new Request.Alarm(
            Request.Alarm.Action.values()[random.nextInt(3)], random.nextInt(2), AlarmType.NOSPACE));
        case 6 -> entry(new Request.Alarm(Request.Alarm.Action.DEACTIVATE, random.nextInt(2), AlarmType.NOSPACE));
        case 7 -> entry(new Request.Compact(log.size() - random.nextInt(log.size() / 2 + 1), random.nextBoolean()));
        case 8 -> entry(new Request.MemberAttributesSet(0x11, "n" + random.nextInt(3), List.of("http://c")));
        case 9 -> entry(random.nextBoolean()
            ? new Request.ClusterVersionSet("3." + random.nextInt(8) + ".0")
            : new Request.DowngradeInfoSet(random.nextBoolean(), "3.6.0"));
        case 10 -> change(randomChange(random));
        case 11, 12, 13, 14, 15 -> entry(requests.delete());
        case 16, 17 -> entry(requests.range());
        case 18, 19, 20, 21, 22, 23, 24, 25, 26 -> entry(requests.txn(2, leases));
        default -> entry(requests.put(leases));
      });
    }
    return log;
  }

  private static MembershipChange randomChange(Random random) {
    long id = 0x44 + random.nextInt(6);
    List<String> urls = List.of("http://" + random.nextInt(8) + ":1");
    return switch (random.nextInt(5)) {
      case 0 -> MembershipChange.add(1, Member.voter(id, urls));
      case 1 -> MembershipChange.add(1, Member.learner(id, urls));
      case 2 -> MembershipChange.promote(1, id);
      case 3 -> MembershipChange.update(1, Member.voter(id, urls));
      default -> MembershipChange.remove(1, id);
    };
  }

  private static LogEntry entry(Request request) {
    return new LogEntry(request, null);
  }

  private static LogEntry change(MembershipChange change) {
    return new LogEntry(null, change);
  }

  /// A member with its own timing: hands over, writes, installs, compacts, and crashes when its dice say so.
  private static final class Replayer implements AutoCloseable {
    private final Path file;
    private final Random random;
    private final ArrayDeque<WriteBatch> taken = new ArrayDeque<>();
    private final ArrayDeque<BackendCommit> written = new ArrayDeque<>();
    private int crashesLeft;
    StateMachine state;

    Replayer(Path file, Random random, int crashes) throws IOException {
      this.file = file;
      this.random = random;
      this.crashesLeft = crashes;
      this.state = StateMachine.open(new RealDisk(), file, StateRig.OPTIONS);
    }

    List<String> run(List<LogEntry> log) throws IOException {
      String[] outcomes = new String[log.size()];
      int next = 0;
      while (next < log.size()) {
        boolean isNew = next >= state.applier().appliedIndex();
        String outcome = apply(next + 1, log.get(next));
        if (isNew) {
          assertThat(outcomes[next] == null || outcomes[next].equals(outcome)).isTrue();
          outcomes[next] = outcome;
        } else {
          assertThat(outcome).doesNotContain("answered").doesNotContain("event");
        }
        next++;
        if (random.nextInt(8) == 0) {
          step();
        }
        if (crashesLeft > 0 && random.nextInt(ENTRIES / 16) == 0) {
          crashesLeft--;
          crash();
          // The log is read from somewhere behind what the db holds: a WAL begins at a snapshot.
          next = Math.max(0, (int) state.applier().appliedIndex() - random.nextInt(50));
        }
      }
      return List.of(outcomes);
    }

    private String apply(long index, LogEntry entry) throws IOException {
      ApplyOutcome outcome;
      if (entry.change() != null) {
        outcome = state.applier().applyMembershipChange(index, 2, entry.change());
      } else if (entry.request() != null) {
        Proposal proposal = RequestCodec.decode(RequestCodec.encode(RequestHeader.of(index), entry.request()));
        outcome = state.applier().apply(index, 2, proposal.header(), proposal.request(), true);
      } else {
        state.applier().applyEmpty(index, 2);
        return "empty";
      }
      if (random.nextInt(20) == 0) {
        state.keys().publish();
      }
      return describe(outcome);
    }

    private static String describe(ApplyOutcome outcome) {
      StringBuilder out = new StringBuilder();
      if (outcome.response() != null) {
        out.append("answered ").append(Bytes.wrap(ResponseCodec.encode(outcome.response(), RESPONDER).toByteArray()));
      }
      if (outcome.refusal() != null) {
        out.append("refused ").append(outcome.refusal());
      }
      outcome.events().forEach(event -> out.append(" event ").append(event.type()).append(Bytes.wrap(event.kv())));
      outcome.effects().forEach(effect -> out.append(' ').append(effect));
      return out.append(" @").append(outcome.revision()).toString();
    }

    /// One step of the backend loop, or of its traffic with the apply loop.
    private void step() throws IOException {
      switch (random.nextInt(4)) {
        case 0 -> taken.add(state.backend().take());
        case 1 -> {
          WriteBatch batch = taken.poll();
          if (batch != null) {
            written.add(state.backend().write(batch));
          }
        }
        case 2 -> {
          BackendCommit commit = written.poll();
          if (commit != null) {
            state.keys().committed(commit);
          }
        }
        default -> compact();
      }
      state.checkInvariants();
    }

    private void compact() throws IOException {
      Compaction compaction = state.keys().compaction();
      if (compaction == null || !written.isEmpty() || !state.keys().compactIndexStep(2) || !compaction.isReady()) {
        return;
      }
      BackendCommit commit = compaction.backendStep(1 + random.nextInt(40));
      if (commit != null) {
        state.keys().compacted(compaction, commit);
      }
    }

    private void crash() throws IOException {
      close();
      taken.clear();
      state = StateMachine.open(new RealDisk(), file, StateRig.OPTIONS);
      state.checkInvariants();
    }

    void settle() throws IOException {
      taken.add(state.backend().take());
      while (!taken.isEmpty()) {
        written.add(state.backend().write(taken.poll()));
      }
      while (!written.isEmpty()) {
        state.keys().committed(written.poll());
      }
      while (state.keys().compaction() != null) {
        compact();
      }
    }

    int hashKv() throws IOException {
      try (var view = state.keys().view()) {
        return view.hashByRevision(0).hash();
      }
    }

    @Override
    public void close() throws IOException {
      written.forEach(BackendCommit::discard);
      written.clear();
      state.close();
    }
  }
}
