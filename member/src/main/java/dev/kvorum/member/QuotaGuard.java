package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.state.alarm.AlarmType;
import dev.kvorum.state.Quota;
import dev.kvorum.state.Request;
import dev.kvorum.state.backend.Backend;

/// The backend quota as a writer meets it first. Requests that make nothing grow always pass, so that space can be
/// won back. Any thread.
final class QuotaGuard {
  private final Quota quota;
  private final Backend backend;
  private final long memberId;

  QuotaGuard(Quota quota, Backend backend, long memberId) {
    this.quota = quota;
    this.backend = backend;
    this.memberId = memberId;
  }

  boolean admits(Request request) {
    return quota.admits(request, backend.size().bytes());
  }

  /// What to propose when something was not admitted: this member has no space.
  Request.Alarm alarm() {
    return new Request.Alarm(Request.Alarm.Action.ACTIVATE, memberId, AlarmType.NOSPACE);
  }

  static EtcdException refusal() {
    return EtcdException.of(EtcdError.NO_SPACE);
  }
}
