package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.env.Invariant;
import java.util.concurrent.atomic.AtomicLong;

/// The memory that requests in flight may take together, in bytes: whoever is about to hold some takes it here first,
/// and gives it back when it is done. Over the limit a request is refused, so that load ends in `too many requests` and
/// never in an out-of-memory error.
///
/// Requests may fill all of it; answers only [#ANSWER_SHARE] of it, so that reads of any number and size leave room for
/// writes. What must not be refused once it is under way takes by [#force], from shares that are bounded elsewhere. Any
/// thread, by atomic addition: no lock.
public final class MemoryBudget {
  private static final int ANSWER_SHARE_QUARTERS = 3;

  /// etcd's text, under the code its own constant declares. (etcd sends that constant as `UNKNOWN`, by a slip in a table
  /// of its; a client library knows it by the text, and others may rely on the code.)
  private static final EtcdException REFUSAL =
      EtcdException.of(GrpcCode.RESOURCE_EXHAUSTED, EtcdError.TOO_MANY_REQUESTS.message());

  private final long limitBytes;
  private final AtomicLong used = new AtomicLong();
  private final AtomicLong refusals = new AtomicLong();

  /// Where a request's bytes are booked, until it has ended. Kept by the front: only it knows when an answer has left.
  ///
  /// Any thread. Charging a request that has ended costs nothing and says no.
  public interface Account {
    /// For calls from inside, and tests.
    Account FREE =
        new Account() {
          @Override
          public boolean charge(long bytes) {
            return true;
          }

          @Override
          public boolean chargeAnswer(long bytes) {
            return true;
          }
        };

    /// @return false when there is no room: the request is to be refused
    boolean charge(long bytes);

    /// The same for what will be answered.
    boolean chargeAnswer(long bytes);
  }

  public MemoryBudget(long limitBytes) {
    Invariant.check(limitBytes > 0, "a memory budget is positive");
    this.limitBytes = limitBytes;
  }

  /// What a request is refused with when memory has no room for it.
  public static EtcdException refusal() {
    return REFUSAL;
  }

  /// @return false, having taken nothing, when it does not fit
  public boolean tryTake(long bytes) {
    return tryTake(bytes, limitBytes);
  }

  /// For answers.
  public boolean tryTakeForAnswer(long bytes) {
    return tryTake(bytes, limitBytes / 4 * ANSWER_SHARE_QUARTERS);
  }

  private boolean tryTake(long bytes, long ceiling) {
    if (used.addAndGet(bytes) <= ceiling) {
      return true;
    }
    used.addAndGet(-bytes);
    refusals.incrementAndGet();
    return false;
  }

  /// Takes what has its own bound, whether it fits or not.
  public void force(long bytes) {
    used.addAndGet(bytes);
  }

  public void give(long bytes) {
    long left = used.addAndGet(-bytes);
    Invariant.check(left >= 0, "more memory is given back than was taken");
  }

  /// Whether answers find room at all.
  public boolean hasRoomForAnswers() {
    return used.get() < limitBytes / 4 * ANSWER_SHARE_QUARTERS;
  }

  public long limitBytes() {
    return limitBytes;
  }

  public long usedBytes() {
    return used.get();
  }

  /// How often something did not fit.
  public long refusals() {
    return refusals.get();
  }
}
