package dev.kvorum.state;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import dev.kvorum.state.ApplyOutcome.Result;
import dev.kvorum.state.alarm.AlarmMember;
import dev.kvorum.state.alarm.AlarmType;
import dev.kvorum.state.alarm.Alarms;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.WriteBatch;
import dev.kvorum.state.keys.Event;
import dev.kvorum.state.keys.KeyRange;
import dev.kvorum.state.keys.KvStore;
import dev.kvorum.state.keys.KvTxn;
import dev.kvorum.state.keys.TxnResult;
import dev.kvorum.state.lease.Lease;
import dev.kvorum.state.lease.Leases;
import dev.kvorum.state.membership.DowngradeInfo;
import dev.kvorum.state.membership.Membership;
import dev.kvorum.state.membership.MembershipChange;
import dev.kvorum.state.membership.MembershipEffect;
import dev.kvorum.state.membership.StoredConfState;
import dev.kvorum.state.schema.Version;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Turns committed entries into state: the one place where what all members agree on changes.
///
/// Every entry passes the same steps, on every member, in Kvorum and in etcd:
///
/// 1. An entry the db holds already (at or below its consistent index) changes nothing.
/// 2. What no member could take stops this one, before anything is touched ([UnappliableException]).
/// 3. The entry's index goes into the batch that its writes go into: after a crash the db holds both or neither.
/// 4. Alarms refuse what they forbid: CORRUPT before NOSPACE.
/// 5. The request is carried out whole, or refused with nothing done. A refused entry is consumed like any other.
/// 6. The quota is looked at: what went past it *was* carried out (members' files differ in size, their state may not),
///    but its proposer hears `NO_SPACE`, and the member is told to raise the alarm.
///
/// Requests about users and roles ([AuthRequest]) are not built yet: they are refused, and a db in which authentication
/// is on does not open, rather than being served without it.
///
/// Owned by the apply loop. Source: `apply-semantics.md`; etcd `server/etcdserver/apply/`.
public final class Applier {
  private final Backend backend;
  private final KvStore keys;
  private final Leases leases;
  private final Alarms alarms;
  private final Membership membership;
  private final StateOptions options;

  Applier(
      Backend backend, KvStore keys, Leases leases, Alarms alarms, Membership membership, StateOptions options) {
    this.backend = backend;
    this.keys = keys;
    this.leases = leases;
    this.alarms = alarms;
    this.membership = membership;
    this.options = options;
  }

  /// The last entry applied, in memory; [Backend#committedIndex] says what is durable.
  public long appliedIndex() {
    return backend.batch().consistentIndex();
  }

  /// As the five-argument form, with somebody waiting for the answer.
  public ApplyOutcome apply(long index, long term, RequestHeader header, Request request) throws IOException {
    return apply(index, term, header, request, true);
  }

  /// Applies a normal entry.
  ///
  /// @param answered whether anybody waits here for the answer. If not, what only reads is not read
  /// @throws UnappliableException when this member must stop; nothing was changed
  /// @throws CorruptionException when the db cannot be read; the member must stop and its batch must not be committed
  public ApplyOutcome apply(long index, long term, RequestHeader header, Request request, boolean answered)
      throws IOException {
    if (index <= appliedIndex()) {
      return ApplyOutcome.replayed(keys.currentRevision(), List.of());
    }
    checkAppliable(request);
    backend.batch().applied(index, term);
    EtcdError forbidden = forbidden(request);
    if (forbidden != null) {
      return ApplyOutcome.refused(forbidden, keys.currentRevision());
    }
    boolean fits = options.quota().admits(request, backend.size().bytes());
    ApplyOutcome outcome = dispatch(request, answered);
    return fits || outcome.refusal() != null ? outcome : pastQuota(outcome);
  }

  /// Applies an entry without data: only its index.
  public void applyEmpty(long index, long term) {
    if (index > appliedIndex()) {
      backend.batch().applied(index, term);
    }
  }

  /// Applies an entry that changes who the members are. Unless it is refused or replayed, hand the change to raft and
  /// what raft answers to [#confState]; if it is refused, hand raft the same change with node id 0.
  ///
  /// A replayed change is in the db and in raft's configuration already. Only a removal is told again, for it may be
  /// this member's own.
  public ApplyOutcome applyMembershipChange(long index, long term, MembershipChange change)
      throws UnappliableException {
    long revision = keys.currentRevision();
    if (index <= appliedIndex()) {
      boolean removed =
          change.type() == MembershipChange.Type.REMOVE_NODE && membership.isRemoved(change.nodeId());
      return ApplyOutcome.replayed(
          revision, removed ? List.of(changed(new MembershipEffect.Removed(change.nodeId()))) : List.of());
    }
    EtcdError error = membership.validate(change, options.learnersMax());
    WriteBatch batch = backend.batch();
    batch.applied(index, term);
    if (error != null) {
      return ApplyOutcome.refused(error, revision);
    }
    MembershipEffect effect = membership.apply(batch, change);
    return ApplyOutcome.answered(new Response.Done(revision), revision, changed(effect));
  }

  private Effect changed(MembershipEffect effect) {
    return new Effect.MembershipChanged(membership.view(), effect);
  }

  /// Keeps raft's configuration as of the last change, in the batch of that change if called at once.
  public void confState(StoredConfState confState) {
    backend.batch().confState(Bytes.utf8(confState.toJson()));
  }

  private void checkAppliable(Request request) throws UnappliableException {
    switch (request) {
      case Request.MemberAttributesSet set -> membership.checkAttributes(set.memberId());
      case Request.ClusterVersionSet set -> Membership.checkClusterVersion(set.version());
      case Request.DowngradeInfoSet set -> {
        if (set.enabled() && Version.parse(set.version()) == null) {
          throw new UnappliableException("the downgrade target \"" + set.version() + "\" is no version");
        }
      }
      default -> {}
    }
  }

  /// What the raised alarms refuse this request for; null when nothing.
  private @Nullable EtcdError forbidden(Request request) {
    if (!alarms.anyRaised()) {
      return null;
    }
    return switch (request) {
      case Request.Put _, Request.Txn _, Request.LeaseGrant _ -> {
        if (alarms.isRaised(AlarmType.CORRUPT)) {
          yield EtcdError.CORRUPT;
        }
        yield alarms.isRaised(AlarmType.NOSPACE) && RequestCost.of(request) > 0 ? EtcdError.NO_SPACE : null;
      }
      case Request.Range _, Request.DeleteRange _, Request.Compact _, Request.LeaseRevoke _ ->
        alarms.isRaised(AlarmType.CORRUPT) ? EtcdError.CORRUPT : null;
      case Request.LeaseCheckpoint _, Request.Alarm _ -> null;
      case Request.ClusterVersionSet _, Request.MemberAttributesSet _ -> null;
      case Request.DowngradeInfoSet _, Request.DowngradeVersionTest _ -> null;
      case AuthRequest _ -> null;
    };
  }

  private ApplyOutcome pastQuota(ApplyOutcome outcome) {
    List<Effect> effects = new ArrayList<>(outcome.effects());
    if (!alarms.isRaised(AlarmType.NOSPACE)) {
      effects.add(new Effect.RaiseNoSpace());
    }
    return new ApplyOutcome(new Result.Refused(EtcdError.NO_SPACE), outcome.revision(), outcome.events(), effects);
  }

  private ApplyOutcome dispatch(Request request, boolean answered) throws IOException {
    return switch (request) {
      case Request.Put put -> write(answered, writer -> writer.put(put));
      case Request.Txn txn -> write(answered, writer -> writer.txn(txn));
      case Request.DeleteRange delete -> write(answered, writer -> writer.deleteRange(delete));
      case Request.Range range -> answered ? write(true, writer -> writer.range(range)) : unread();
      case Request.Compact compact -> compact(compact);
      case Request.LeaseGrant grant -> grant(grant);
      case Request.LeaseRevoke revoke -> revoke(revoke);
      case Request.LeaseCheckpoint checkpoint -> checkpoint(checkpoint);
      case Request.Alarm alarm -> alarm(alarm);
      case Request.ClusterVersionSet set -> setClusterVersion(set);
      case Request.MemberAttributesSet set -> setAttributes(set);
      case Request.DowngradeInfoSet set -> setDowngradeInfo(set);
      case Request.DowngradeVersionTest _ -> done();
      case AuthRequest _ -> refuseAuth();
    };
  }

  private ApplyOutcome done() {
    return ApplyOutcome.answered(new Response.Done(keys.currentRevision()), keys.currentRevision());
  }

  /// A read nobody waits for: etcd does not apply it at all.
  private ApplyOutcome unread() {
    return done();
  }

  private ApplyOutcome refuseAuth() {
    return ApplyOutcome.refused(
        EtcdException.of(GrpcCode.UNIMPLEMENTED, "etcdserver: authentication is not supported by this version"),
        keys.currentRevision());
  }

  /// One KV operation inside a write transaction.
  @FunctionalInterface
  private interface KvOperation {
    Response in(KvWriter writer) throws CorruptionException;
  }

  private ApplyOutcome write(boolean answered, KvOperation operation) throws CorruptionException {
    KvTxn txn = keys.begin();
    Result result;
    try {
      result = new Result.Answered(operation.in(new KvWriter(txn, leases, answered)));
    } catch (EtcdException refusal) {
      // Refusals come before the first change, or it is a bug that would tear a txn in two.
      Invariant.check(
          txn.revision() == txn.beginRevision(), () -> "a txn failed after it had changed something: " + refusal);
      result = new Result.Refused(refusal);
    }
    TxnResult ended = txn.end();
    return new ApplyOutcome(result, ended.revision(), ended.events(), List.of());
  }

  private ApplyOutcome compact(Request.Compact compact) {
    long revision = keys.currentRevision();
    try {
      keys.compact(compact.revision());
    } catch (EtcdException refusal) {
      return ApplyOutcome.refused(refusal, revision);
    }
    return ApplyOutcome.answered(
        new Response.Compact(revision), revision,
        new Effect.CompactionScheduled(compact.revision(), compact.physical()));
  }

  private ApplyOutcome grant(Request.LeaseGrant grant) {
    long revision = keys.currentRevision();
    EtcdError error = leases.checkGrant(grant.id(), grant.ttl());
    if (error != null) {
      return ApplyOutcome.refused(error, revision);
    }
    Lease lease = leases.grant(backend.batch(), grant.id(), grant.ttl());
    return ApplyOutcome.answered(
        new Response.LeaseGrant(revision, lease.id(), lease.ttlSeconds()), revision,
        new Effect.LeaseGranted(lease.id(), lease.ttlSeconds()));
  }

  private ApplyOutcome revoke(Request.LeaseRevoke revoke) {
    Lease lease = leases.get(revoke.id());
    if (lease == null) {
      return ApplyOutcome.refused(EtcdError.LEASE_NOT_FOUND, keys.currentRevision());
    }
    KvTxn txn = keys.begin();
    for (Bytes key : lease.sortedKeys()) {
      txn.deleteRange(KeyRange.single(key));
    }
    TxnResult ended = txn.end();
    leases.remove(backend.batch(), lease.id());
    return new ApplyOutcome(
        new Result.Answered(new Response.LeaseRevoke(ended.revision())),
        ended.revision(), ended.events(), List.of(new Effect.LeaseRevoked(lease.id())));
  }

  private ApplyOutcome checkpoint(Request.LeaseCheckpoint checkpoint) {
    Version cluster = membership.clusterVersion();
    boolean persist = options.persistCheckpoints() || (cluster != null && !cluster.isBelow(Version.V3_6));
    List<Effect> effects = new ArrayList<>();
    for (Request.LeaseCheckpoint.Remaining remaining : checkpoint.checkpoints()) {
      if (leases.checkpoint(backend.batch(), remaining.id(), remaining.remainingTtl(), persist)) {
        effects.add(new Effect.LeaseCheckpointed(remaining.id(), remaining.remainingTtl()));
      }
    }
    long revision = keys.currentRevision();
    return new ApplyOutcome(
        new Result.Answered(new Response.LeaseCheckpoint(revision)), revision, List.<Event>of(), effects);
  }

  private ApplyOutcome alarm(Request.Alarm request) {
    long revision = keys.currentRevision();
    return switch (request.action()) {
      case GET -> ApplyOutcome.answered(new Response.Alarm(revision, alarms.get(request.type())), revision);
      case ACTIVATE -> {
        if (request.type().equals(AlarmType.NONE)) {
          yield ApplyOutcome.answered(new Response.Alarm(revision, List.of()), revision);
        }
        AlarmMember raised = alarms.activate(backend.batch(), request.memberId(), request.type());
        yield ApplyOutcome.answered(
            new Response.Alarm(revision, List.of(raised)), revision, new Effect.AlarmsChanged());
      }
      case DEACTIVATE -> {
        boolean cleared = alarms.deactivate(backend.batch(), request.memberId(), request.type());
        List<AlarmMember> named =
            cleared ? List.of(new AlarmMember(request.memberId(), request.type())) : List.of();
        yield ApplyOutcome.answered(new Response.Alarm(revision, named), revision, new Effect.AlarmsChanged());
      }
      case UNKNOWN ->
        ApplyOutcome.refused(
            EtcdException.of(GrpcCode.INVALID_ARGUMENT, "etcdserver: unknown alarm action"), revision);
    };
  }

  private ApplyOutcome setClusterVersion(Request.ClusterVersionSet set) throws UnappliableException {
    Version before = membership.setClusterVersion(backend.batch(), set.version());
    Version now = membership.clusterVersion();
    boolean lowered = before != null && now != null && now.isBelow(before);
    long revision = keys.currentRevision();
    return ApplyOutcome.answered(
        new Response.Done(revision), revision, new Effect.ClusterVersionChanged(membership.view(), lowered));
  }

  private ApplyOutcome setAttributes(Request.MemberAttributesSet set) throws UnappliableException {
    membership.setAttributes(backend.batch(), set.memberId(), set.name(), set.clientUrls());
    return updated();
  }

  private ApplyOutcome setDowngradeInfo(Request.DowngradeInfoSet set) {
    membership.setDowngradeInfo(
        backend.batch(), set.enabled() ? new DowngradeInfo(true, set.version()) : DowngradeInfo.NONE);
    return updated();
  }

  private ApplyOutcome updated() {
    long revision = keys.currentRevision();
    return ApplyOutcome.answered(
        new Response.Done(revision), revision, new Effect.MembershipUpdated(membership.view()));
  }
}
