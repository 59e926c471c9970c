package dev.kvorum.server.grpc;

import dev.kvorum.member.MemoryBudget;
import io.grpc.Context;
import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// What one call holds of the memory budget, from the moment its headers are read until its last byte has left.
///
/// gRPC tells its tracers of each run of bytes it adds to a message being assembled: that is how a request is charged
/// before it is whole. Small ones are covered by what every call is charged at first, so they cost one addition at the
/// beginning and one at the end. A request is charged three times its size: as it was read, as the log entry it
/// becomes, and as the record that waits for the disk.
///
/// Called on the connection's loop, but for [#charge] and [#chargeAnswer].
final class CallAccount extends ServerStreamTracer implements MemoryBudget.Account {
  /// What a call takes however small it is: stream, headers, request, answer.
  static final long CALL_BYTES = 4 * 1024;

  /// How much of a request that covers.
  private static final long COVERED_REQUEST_BYTES = 1024;

  private static final int REQUEST_COPIES = 3;
  private static final long CLOSED = -1;
  private static final Context.Key<CallAccount> KEY = Context.key("account");

  private final MemoryBudget budget;
  /// Taken of the budget; [#CLOSED] once given back.
  private final AtomicLong held = new AtomicLong();
  private long wireBytes;
  private long inflatedBytes;
  private long chargedForMessage;
  private boolean over;
  private @Nullable Runnable whenOver;

  private CallAccount(MemoryBudget budget, Metadata headers) {
    this.budget = budget;
    over = !charge(CALL_BYTES + sizeOf(headers));
  }

  /// Opens an account for every call.
  static Factory factory(MemoryBudget budget) {
    return new Factory() {
      @Override
      public ServerStreamTracer newServerStreamTracer(String fullMethodName, Metadata headers) {
        return new CallAccount(budget, headers);
      }
    };
  }

  /// The account of the call being started on this thread.
  static @Nullable CallAccount current() {
    return KEY.get();
  }

  private static long sizeOf(Metadata headers) {
    if (InternalMetadata.headerCount(headers) == 0) {
      return 0;
    }
    long bytes = 0;
    for (byte[] text : InternalMetadata.serialize(headers)) {
      bytes += text.length;
    }
    return bytes;
  }

  @Override
  public Context filterContext(Context context) {
    return context.withValue(KEY, this);
  }

  /// Sets what to do when there is no room for the call's request; at once if there was none for the call.
  void whenOver(Runnable refuse) {
    whenOver = refuse;
    if (over) {
      refuse.run();
    }
  }

  @Override
  public void inboundMessage(int seqNo) {
    wireBytes = 0;
    inflatedBytes = 0;
    if (chargedForMessage > 0) {
      refund(chargedForMessage); // the message before has been dealt with
      chargedForMessage = 0;
    }
  }

  @Override
  public void inboundWireSize(long bytes) {
    wireBytes += bytes;
    if (wireBytes > COVERED_REQUEST_BYTES) {
      chargeMessage();
    }
  }

  @Override
  public void inboundUncompressedSize(long bytes) {
    inflatedBytes += bytes;
    if (inflatedBytes > COVERED_REQUEST_BYTES) {
      chargeMessage();
    }
  }

  private void chargeMessage() {
    long due = REQUEST_COPIES * Math.max(wireBytes, inflatedBytes) - chargedForMessage;
    if (over || due <= 0) {
      return;
    }
    if (charge(due)) {
      chargedForMessage += due;
      return;
    }
    over = true;
    if (whenOver != null) {
      whenOver.run();
    }
  }

  @Override
  public boolean charge(long bytes) {
    return budget.tryTake(bytes) && keep(bytes);
  }

  @Override
  public boolean chargeAnswer(long bytes) {
    return bytes <= COVERED_REQUEST_BYTES || budget.tryTakeForAnswer(bytes) && keep(bytes);
  }

  private boolean keep(long bytes) {
    long before = held.getAndUpdate(now -> now == CLOSED ? CLOSED : now + bytes);
    if (before == CLOSED) {
      budget.give(bytes);
      return false;
    }
    return true;
  }

  private void refund(long bytes) {
    long before = held.getAndUpdate(now -> now == CLOSED ? CLOSED : now - bytes);
    if (before != CLOSED) {
      budget.give(bytes);
    }
  }

  @Override
  public void streamClosed(Status status) {
    long all = held.getAndSet(CLOSED);
    if (all != CLOSED) {
      budget.give(all);
    }
  }
}
