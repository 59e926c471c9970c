package dev.kvorum.state;

import dev.kvorum.state.membership.MembershipEffect;
import dev.kvorum.state.membership.MembershipView;

/// What the member must do because of an applied entry: state decides, it acts. All are local; none changes what
/// members agree on before it comes back through the log.
public sealed interface Effect {
  /// The quota is reached and no alarm says so: propose `Alarm{ACTIVATE, NOSPACE}` for this member, and hold back the
  /// client's answer until that proposal is done, as etcd does.
  record RaiseNoSpace() implements Effect {}

  /// History below `revision` may be deleted from the db.
  ///
  /// @param physical answer the client only after it was
  record CompactionScheduled(long revision, boolean physical) implements Effect {}

  /// Tell [dev.kvorum.state.lease.LeaseExpiry].
  record LeaseGranted(long id, long ttlSeconds) implements Effect {}

  /// Tell [dev.kvorum.state.lease.LeaseExpiry], and whoever waits for the end of the lease.
  record LeaseRevoked(long id) implements Effect {}

  /// Tell [dev.kvorum.state.lease.LeaseExpiry].
  record LeaseCheckpointed(long id, long remainingTtlSeconds) implements Effect {}

  /// Alarms were raised or cleared.
  record AlarmsChanged() implements Effect {}

  /// Publish the view; connect to, or part from, who is concerned.
  record MembershipChanged(MembershipView view, MembershipEffect change) implements Effect {}

  /// A member published its name and client URLs, or the downgrade was switched. Publish the view.
  record MembershipUpdated(MembershipView view) implements Effect {}

  /// The cluster speaks another version. Publish the view; look whether the schema must follow.
  ///
  /// @param lowered the version went down: take a disk snapshot now, so that the log before it can go
  record ClusterVersionChanged(MembershipView view, boolean lowered) implements Effect {}
}
