package dev.kvorum.raft.confchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.raft.ConfChange.Single;
import dev.kvorum.raft.ConfChange.Type;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.tracker.ProgressTracker;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

class ConfChangerTest {
  private static final int ROUNDS = 5_000;

  private final long seed = Long.getLong("kvorum.seed", ThreadLocalRandom.current().nextLong(1L << 40));
  private final SplittableRandom random = new SplittableRandom(seed);

  private List<Single> changes(int most) {
    List<Single> changes = new ArrayList<>();
    for (int n = random.nextInt(most + 1); n > 0; n--) {
      changes.add(new Single(Type.values()[random.nextInt(4)], random.nextInt(8)));
    }
    return changes;
  }

  private static ConfChanger draft(ProgressTracker tracker) {
    return new ConfChanger(tracker, 10);
  }

  private static void adopt(ProgressTracker tracker, ConfChanger changer) {
    tracker.switchTo(changer.configuration(), changer.members());
    tracker.checkInvariants();
  }

  private ProgressTracker randomTracker() {
    ProgressTracker tracker = new ProgressTracker(10, 0);
    while (true) {
      try {
        ConfChanger first = draft(tracker);
        first.simple(List.of(new Single(Type.ADD_NODE, 1 + random.nextInt(7))));
        adopt(tracker, first);
        ConfChanger joint = draft(tracker);
        joint.enterJoint(random.nextBoolean(), changes(9));
        adopt(tracker, joint);
        return tracker;
      } catch (ConfChangeRefusedException tryAnother) {
        // Removed all voters.
      }
    }
  }

  @Test
  void anyConfigurationIsRestoredFromItsState() throws ConfChangeRefusedException {
    for (int i = 0; i < ROUNDS; i++) {
      ProgressTracker tracker = randomTracker();
      if (random.nextBoolean()) {
        ConfChanger leaving = draft(tracker);
        leaving.leaveJoint();
        adopt(tracker, leaving);
      }
      ConfState state = tracker.configuration().confState();
      ProgressTracker restored = new ProgressTracker(10, 0);
      ConfChanger changer = draft(restored);
      changer.restore(state);
      adopt(restored, changer);
      assertThat(restored.configuration()).as("seed %d: %s", seed, state).isEqualTo(tracker.configuration());
    }
  }

  /// etcd raft: through a joint configuration one arrives where simple steps lead. Entering and leaving is the same as
  /// making the changes one by one, where that is allowed.
  @Test
  void theJointDetourEndsWhereSimpleStepsDo() throws ConfChangeRefusedException {
    for (int i = 0; i < ROUNDS; i++) {
      ProgressTracker joint = randomTracker();
      ConfChanger leaving = draft(joint);
      leaving.leaveJoint();
      adopt(joint, leaving);
      ProgressTracker simple = new ProgressTracker(10, 0);
      ConfChanger copy = draft(simple);
      copy.restore(joint.configuration().confState());
      adopt(simple, copy);

      List<Single> changes = changes(6);
      try {
        for (Single change : changes) {
          ConfChanger step = draft(simple);
          step.simple(List.of(change));
          adopt(simple, step);
        }
      } catch (ConfChangeRefusedException refused) {
        continue;
      }
      ConfChanger entering = draft(joint);
      entering.enterJoint(false, changes);
      adopt(joint, entering);
      ConfChanger left = draft(joint);
      left.leaveJoint();
      adopt(joint, left);
      assertThat(joint.configuration()).as("seed %d: %s", seed, changes).isEqualTo(simple.configuration());
    }
  }

  @Test
  void aRefusedDraftLeavesTheTrackerAlone() {
    ProgressTracker tracker = randomTracker();
    ConfState before = tracker.configuration().confState();
    try {
      draft(tracker).simple(List.of(new Single(Type.REMOVE_NODE, 1)));
    } catch (ConfChangeRefusedException refused) {
      assertThat(refused).hasMessage("can't apply simple config change in joint config");
    }
    assertThat(tracker.configuration().confState()).isEqualTo(before);
    tracker.checkInvariants();
  }

  private static ProgressTracker voters(long... ids) throws ConfChangeRefusedException {
    ProgressTracker tracker = new ProgressTracker(10, 0);
    for (long id : ids) {
      ConfChanger changer = draft(tracker);
      changer.simple(List.of(new Single(Type.ADD_NODE, id)));
      adopt(tracker, changer);
    }
    return tracker;
  }

  /// Raft thesis §4.1: one change that moves a voter at a time.
  @Test
  void aSimpleChangeMovesOneVoterAtMost() throws ConfChangeRefusedException {
    ProgressTracker tracker = voters(1, 2, 3);
    List<Single> replacement = List.of(new Single(Type.ADD_NODE, 4), new Single(Type.REMOVE_NODE, 3));
    assertThatThrownBy(() -> draft(tracker).simple(replacement))
        .isInstanceOf(ConfChangeRefusedException.class)
        .hasMessage("more than one voter changed without entering joint config");
    ConfChanger learners = draft(tracker);
    learners.simple(List.of(new Single(Type.ADD_LEARNER_NODE, 4), new Single(Type.ADD_LEARNER_NODE, 5)));
    assertThat(learners.configuration().confState())
        .as("any number of learners")
        .isEqualTo(ConfState.of(List.of(1L, 2L, 3L), List.of(4L, 5L)));
  }

  /// Raft thesis §4.3: a joint configuration is entered from a simple one and left before the next change.
  @Test
  void aJointConfigurationIsEnteredOnceAndLeftOnce() throws ConfChangeRefusedException {
    ProgressTracker tracker = voters(1, 2, 3);
    List<Single> change = List.of(new Single(Type.REMOVE_NODE, 3));
    assertThatThrownBy(() -> draft(tracker).leaveJoint()).hasMessage("can't leave a non-joint config");
    ConfChanger entering = draft(tracker);
    entering.enterJoint(false, change);
    adopt(tracker, entering);
    assertThatThrownBy(() -> draft(tracker).enterJoint(false, change)).hasMessage("config is already joint");
    assertThatThrownBy(() -> draft(tracker).simple(change))
        .hasMessage("can't apply simple config change in joint config");
    ConfChanger leaving = draft(tracker);
    leaving.leaveJoint();
    adopt(tracker, leaving);
    assertThat(tracker.configuration().confState()).isEqualTo(ConfState.of(List.of(1L, 2L), List.of()));
  }
}
