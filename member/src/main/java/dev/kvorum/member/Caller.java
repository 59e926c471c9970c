package dev.kvorum.member;

import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// Who asks, as far as the front can tell.
///
/// @param token the auth token given in metadata, null when none
/// @param certificateName the common name of the verified client certificate, null when there is none
/// @param remote the peer's address, for log lines
/// @param home where work for this caller continues after a wait: its connection's loop; must not block
public record Caller(@Nullable String token, @Nullable String certificateName, String remote, Executor home) {
  public static final Caller LOCAL = new Caller(null, null, "local", Runnable::run);
}
