package dev.kvorum.server.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.member.MemoryBudget;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// What is booked of a call, as gRPC tells of it.
class CallAccountTest {
  private static final long LIMIT_BYTES = 100_000;

  private final MemoryBudget memory = new MemoryBudget(LIMIT_BYTES);

  private CallAccount call() {
    return (CallAccount) CallAccount.factory(memory).newServerStreamTracer("etcdserverpb.KV/Put", new Metadata());
  }

  @Test
  void aSmallCallCostsTheSameWhateverItSays() {
    CallAccount call = call();
    call.inboundMessage(0);
    call.inboundWireSize(300);
    call.inboundUncompressedSize(300);
    assertThat(call.chargeAnswer(400)).isTrue();
    assertThat(memory.usedBytes()).isEqualTo(CallAccount.CALL_BYTES);
    call.streamClosed(Status.OK);
    assertThat(memory.usedBytes()).isZero();
  }

  @Test
  void aLargeRequestIsBookedAsItComesAndGivenBackOnce() {
    CallAccount call = call();
    call.inboundMessage(0);
    call.inboundWireSize(10_000);
    call.inboundWireSize(10_000);
    call.inboundUncompressedSize(20_000);
    assertThat(memory.usedBytes()).isEqualTo(CallAccount.CALL_BYTES + 60_000);
    call.streamClosed(Status.CANCELLED);
    call.streamClosed(Status.CANCELLED);
    assertThat(memory.usedBytes()).isZero();
  }

  @Test
  void aCompressedRequestIsBookedAsWhatItInflatesTo() {
    CallAccount call = call();
    call.inboundMessage(0);
    call.inboundWireSize(100);
    call.inboundUncompressedSize(15_000);
    call.inboundUncompressedSize(15_000);
    assertThat(memory.usedBytes()).isEqualTo(CallAccount.CALL_BYTES + 90_000);
    call.streamClosed(Status.OK);
  }

  @Test
  void theNextMessageOfAStreamTakesThePlaceOfTheLast() {
    CallAccount call = call();
    for (int i = 0; i < 10; i++) {
      call.inboundMessage(i);
      call.inboundWireSize(20_000);
      assertThat(memory.usedBytes()).isEqualTo(CallAccount.CALL_BYTES + 60_000);
    }
    call.streamClosed(Status.OK);
    assertThat(memory.usedBytes()).isZero();
  }

  @Test
  void aRequestWithoutRoomIsToldOfOnce() {
    CallAccount call = call();
    AtomicInteger told = new AtomicInteger();
    call.whenOver(told::incrementAndGet);
    call.inboundMessage(0);
    call.inboundWireSize(30_000);
    assertThat(told).hasValue(0);
    call.inboundWireSize(10_000);
    call.inboundWireSize(10_000);
    assertThat(told).hasValue(1);
    call.streamClosed(Status.RESOURCE_EXHAUSTED);
    assertThat(memory.usedBytes()).isZero();
  }

  @Test
  void aCallWithoutRoomIsToldOfAtOnce() {
    memory.force(LIMIT_BYTES);
    CallAccount call = call();
    AtomicInteger told = new AtomicInteger();
    call.whenOver(told::incrementAndGet);
    assertThat(told).hasValue(1);
    call.streamClosed(Status.RESOURCE_EXHAUSTED);
    assertThat(memory.usedBytes()).isEqualTo(LIMIT_BYTES);
  }

  @Test
  void whatIsChargedToACallThatHasEndedIsGivenBack() {
    CallAccount call = call();
    call.streamClosed(Status.CANCELLED);
    assertThat(call.chargeAnswer(50_000)).isFalse();
    assertThat(call.charge(10)).isFalse();
    assertThat(memory.usedBytes()).isZero();
  }
}
