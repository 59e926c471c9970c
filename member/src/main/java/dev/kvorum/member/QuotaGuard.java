package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.state.alarm.AlarmType;
import dev.kvorum.state.Quota;
import dev.kvorum.state.Request;
import dev.kvorum.state.StateMachine;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The backend quota as a writer meets it first. Requests that make nothing grow always pass, so that space can be
/// won back. Any thread.
final class QuotaGuard {
  private static final Logger LOG = LoggerFactory.getLogger(QuotaGuard.class);

  private final Quota quota;
  private final StateMachine machine;
  private final long memberId;

  QuotaGuard(Quota quota, StateMachine machine, long memberId) {
    this.quota = quota;
    this.machine = machine;
    this.memberId = memberId;
  }

  boolean admits(Request request) {
    return quota.admits(request, machine.backend().size().bytes());
  }

  /// Something was not admitted: tells the log and the cluster that this member has no space, then runs `then`, whether
  /// or not the alarm could be raised.
  void raiseAlarm(Proposals proposals, Runnable then) {
    LOG.atWarn()
        .addKeyValue("quota-size-bytes", quota.bytesMax())
        .addKeyValue("db-size-bytes", machine.backend().size().bytes())
        .addKeyValue("error", refusal().text())
        .log("message exceeded backend quota; raising alarm");
    proposals.propose(
        new Request.Alarm(Request.Alarm.Action.ACTIVATE, memberId, AlarmType.NOSPACE),
        outcome -> then.run(),
        why -> then.run());
  }

  static EtcdException refusal() {
    return EtcdException.of(EtcdError.NO_SPACE);
  }
}
