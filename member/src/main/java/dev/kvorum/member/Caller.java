package dev.kvorum.member;

import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// Who asks, as far as the front can tell.
///
/// @param token the auth token given in metadata, null when none
/// @param certificateName the common name of the verified client certificate, null when there is none
/// @param remote the peer's address, for log lines
/// @param home where work for this caller continues after a wait: its connection's loop; must not block
/// @param account where the memory that this request holds is booked
public record Caller(
    @Nullable String token,
    @Nullable String certificateName,
    String remote,
    Executor home,
    MemoryBudget.Account account) {
  public static final Caller LOCAL = new Caller(null, null, "local", Runnable::run);

  /// A caller whose requests are not booked.
  public Caller(@Nullable String token, @Nullable String certificateName, String remote, Executor home) {
    this(token, certificateName, remote, home, MemoryBudget.Account.FREE);
  }
}
