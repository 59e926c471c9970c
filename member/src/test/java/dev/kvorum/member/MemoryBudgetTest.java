package dev.kvorum.member;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.env.InvariantViolation;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryBudgetTest {
  @Test
  void whatDoesNotFitTakesNothing() {
    MemoryBudget memory = new MemoryBudget(100);
    assertThat(memory.tryTake(60)).isTrue();
    assertThat(memory.tryTake(41)).isFalse();
    assertThat(memory.tryTake(40)).isTrue();
    assertThat(memory.usedBytes()).isEqualTo(100);
    assertThat(memory.refusals()).isEqualTo(1);
    memory.give(100);
    assertThat(memory.usedBytes()).isZero();
  }

  @Test
  void answersLeaveRoomForRequests() {
    MemoryBudget memory = new MemoryBudget(100);
    assertThat(memory.tryTakeForAnswer(76)).isFalse();
    assertThat(memory.tryTakeForAnswer(75)).isTrue();
    assertThat(memory.hasRoomForAnswers()).isFalse();
    assertThat(memory.tryTake(25)).isTrue();
  }

  @Test
  void givingBackMoreThanWasTakenIsOurBug() {
    assertThatThrownBy(() -> new MemoryBudget(100).give(1)).isInstanceOf(InvariantViolation.class);
  }

  @Test
  void theRefusalIsEtcdsWithItsDeclaredCode() {
    assertThat(MemoryBudget.refusal().code()).isEqualTo(GrpcCode.RESOURCE_EXHAUSTED);
    assertThat(MemoryBudget.refusal().text()).isEqualTo("etcdserver: too many requests");
  }

  @Test
  void aFewLargeReadsHaveTheirTurnAndTheOthersWaitInOrder() {
    MemoryBudget memory = new MemoryBudget(8 * LargeReads.SLOT_BYTES);
    LargeReads reads = new LargeReads(memory);
    List<Integer> begun = new ArrayList<>();
    List<FakeRead> all = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      FakeRead read = new FakeRead(i, begun);
      all.add(read);
      reads.submit(read);
    }
    assertThat(begun).containsExactly(0, 1);
    assertThat(reads.waiting()).isEqualTo(3);
    assertThat(memory.usedBytes()).isEqualTo(2 * LargeReads.SLOT_BYTES);
    all.get(2).cancelled = true;
    reads.ended();
    assertThat(begun).as("who has gone is passed over").containsExactly(0, 1, 3);
    reads.ended();
    reads.ended();
    reads.ended();
    assertThat(begun).containsExactly(0, 1, 3, 4);
    assertThat(reads.running() + reads.waiting()).isZero();
    assertThat(memory.usedBytes()).isZero();
  }

  @Test
  void aWaitingRoomThatIsFullRefuses() {
    LargeReads reads = new LargeReads(new MemoryBudget(1));
    List<Integer> begun = new ArrayList<>();
    FakeRead last = new FakeRead(0, begun);
    for (int i = 0; last.refusal == null; i++) {
      assertThat(i).isLessThan(100_000);
      last = new FakeRead(i, begun);
      reads.submit(last);
    }
    assertThat(last.refusal).isSameAs(MemoryBudget.refusal());
    assertThat(begun).containsExactly(0);
  }

  private static final class FakeRead implements LargeReads.Read {
    private final int name;
    private final List<Integer> begun;
    private boolean cancelled;
    private EtcdException refusal;

    FakeRead(int name, List<Integer> begun) {
      this.name = name;
      this.begun = begun;
    }

    @Override
    public void begin() {
      begun.add(name);
    }

    @Override
    public boolean isCancelled() {
      return cancelled;
    }

    @Override
    public void refuse(EtcdException why) {
      refusal = why;
    }
  }
}
