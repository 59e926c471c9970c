package dev.kvorum.state;

import dev.kvorum.env.Bytes;
import dev.kvorum.state.alarm.AlarmType;
import dev.kvorum.state.keys.KeyRange;
import dev.kvorum.state.keys.RangeOptions;
import java.util.List;

/// What a log entry asks of every member: one record per operation of etcd's `InternalRaftRequest`.
///
/// The family is closed, so that [Applier] and every other walker is an exhaustive switch: an operation without a rule
/// does not compile. Byte strings are the wire's (a `rangeEnd` that is empty, or one zero byte, has etcd's meaning).
public sealed interface Request
    permits Request.Range,
        Request.Put,
        Request.DeleteRange,
        Request.Txn,
        Request.Compact,
        Request.LeaseGrant,
        Request.LeaseRevoke,
        Request.LeaseCheckpoint,
        Request.Alarm,
        Request.ClusterVersionSet,
        Request.MemberAttributesSet,
        Request.DowngradeInfoSet,
        Request.DowngradeVersionTest,
        AuthRequest {

  /// An operation inside a [Txn].
  sealed interface Op permits Range, Put, DeleteRange, Txn, Unset {}

  /// Ordinals are etcd's numbers; `UNKNOWN` is refused before anything is proposed.
  enum SortOrder {
    NONE,
    ASCEND,
    DESCEND,
    UNKNOWN;

    private static final SortOrder[] ALL = values();

    static SortOrder of(int number) {
      return number >= 0 && number < UNKNOWN.ordinal() ? ALL[number] : UNKNOWN;
    }

    RangeOptions.SortOrder toOptions() {
      return switch (this) {
        case NONE, UNKNOWN -> RangeOptions.SortOrder.NONE;
        case ASCEND -> RangeOptions.SortOrder.ASCEND;
        case DESCEND -> RangeOptions.SortOrder.DESCEND;
      };
    }
  }

  /// Ordinals are etcd's numbers; `UNKNOWN` is refused before anything is proposed.
  enum SortTarget {
    KEY,
    VERSION,
    CREATE,
    MOD,
    VALUE,
    UNKNOWN;

    private static final SortTarget[] ALL = values();

    static SortTarget of(int number) {
      return number >= 0 && number < UNKNOWN.ordinal() ? ALL[number] : UNKNOWN;
    }

    RangeOptions.SortTarget toOptions() {
      return switch (this) {
        case KEY, UNKNOWN -> RangeOptions.SortTarget.KEY;
        case VERSION -> RangeOptions.SortTarget.VERSION;
        case CREATE -> RangeOptions.SortTarget.CREATE;
        case MOD -> RangeOptions.SortTarget.MOD;
        case VALUE -> RangeOptions.SortTarget.VALUE;
      };
    }
  }

  /// Reads `[key, rangeEnd)`; see `api.md` §3.1.
  ///
  /// @param rangeEnd empty: the single key; one zero byte: every key from `key` on
  /// @param limit the most keys to return; 0 means all
  /// @param revision 0 or less: now
  /// @param minModRevision this and the following three bounds are inclusive, and off when 0
  record Range(
      Bytes key,
      Bytes rangeEnd,
      long limit,
      long revision,
      SortOrder sortOrder,
      SortTarget sortTarget,
      boolean serializable,
      boolean keysOnly,
      boolean countOnly,
      long minModRevision,
      long maxModRevision,
      long minCreateRevision,
      long maxCreateRevision)
      implements Request, Op {

    /// Everything in the range now, in key order.
    public static Range of(Bytes key, Bytes rangeEnd) {
      return at(key, rangeEnd, 0);
    }

    /// Everything in the range as of `revision`, in key order.
    public static Range at(Bytes key, Bytes rangeEnd, long revision) {
      return new Range(
          key, rangeEnd, 0, revision, SortOrder.NONE, SortTarget.KEY, false, false, false, 0, 0, 0, 0);
    }

    /// Key order, which is the order the index has anyway.
    public boolean defaultOrder() {
      return sortOrder == SortOrder.NONE || (sortTarget == SortTarget.KEY && sortOrder == SortOrder.ASCEND);
    }

    /// The keys it is about.
    public KeyRange keys() {
      return KeyRange.decode(key, rangeEnd);
    }

    /// The rest, as the key store is asked. An order or target nobody knows counts as none, as in etcd.
    public RangeOptions options() {
      return new RangeOptions(
          revision, limit, sortOrder.toOptions(), sortTarget.toOptions(), countOnly, keysOnly,
          minModRevision, maxModRevision, minCreateRevision, maxCreateRevision, true);
    }

    public boolean filtersRevisions() {
      return minModRevision != 0 || maxModRevision != 0 || minCreateRevision != 0 || maxCreateRevision != 0;
    }
  }

  /// Writes one key.
  ///
  /// @param lease the lease to attach the key to; 0 detaches it from any
  /// @param ignoreValue keeps the key's value; it must exist
  /// @param ignoreLease keeps the key's lease; it must exist
  record Put(Bytes key, Bytes value, long lease, boolean prevKv, boolean ignoreValue, boolean ignoreLease)
      implements Request, Op {

    public static Put of(Bytes key, Bytes value) {
      return new Put(key, value, 0, false, false, false);
    }

    /// Whether the present key must be read first.
    public boolean readsPrevious() {
      return prevKv || ignoreValue || ignoreLease;
    }
  }

  /// Deletes `[key, rangeEnd)`, ends as in [Range].
  record DeleteRange(Bytes key, Bytes rangeEnd, boolean prevKv) implements Request, Op {

    /// The keys it is about.
    public KeyRange keys() {
      return KeyRange.decode(key, rangeEnd);
    }

    public static DeleteRange of(Bytes key, Bytes rangeEnd) {
      return new DeleteRange(key, rangeEnd, false);
    }
  }

  /// Guards, then one of two lists of operations, as one revision.
  record Txn(List<Compare> compares, List<Op> success, List<Op> failure) implements Request, Op {
    public Txn {
      compares = List.copyOf(compares);
      success = List.copyOf(success);
      failure = List.copyOf(failure);
    }

    /// Every operation of both branches is a [Range]; a nested txn counts as a write, as in etcd.
    public boolean readOnly() {
      return allRanges(success) && allRanges(failure);
    }

    /// Read-only, and no range needs a linearizable read.
    public boolean serializable() {
      return allSerializable(success) && allSerializable(failure);
    }

    private static boolean allRanges(List<Op> ops) {
      for (Op op : ops) {
        if (!(op instanceof Range)) {
          return false;
        }
      }
      return true;
    }

    private static boolean allSerializable(List<Op> ops) {
      for (Op op : ops) {
        if (!(op instanceof Range range && range.serializable())) {
          return false;
        }
      }
      return true;
    }
  }

  /// An operation of a txn that names nothing, or nothing we know. Refused before proposing, inert if met in a log.
  record Unset() implements Op {
    public static final Unset INSTANCE = new Unset();
  }

  /// Forgets history below `revision`.
  ///
  /// @param physical the client waits until the backend has forgotten too
  record Compact(long revision, boolean physical) implements Request {}

  /// @param ttl seconds
  /// @param id chosen by the proposer, never 0 in a proposal
  record LeaseGrant(long ttl, long id) implements Request {}

  record LeaseRevoke(long id) implements Request {}

  record LeaseCheckpoint(List<Remaining> checkpoints) implements Request {
    public LeaseCheckpoint {
      checkpoints = List.copyOf(checkpoints);
    }

    /// @param remainingTtl seconds left of lease `id`; 0 clears
    public record Remaining(long id, long remainingTtl) {}
  }

  /// @param memberId the member concerned, exactly; 0 is no wildcard
  record Alarm(Action action, long memberId, AlarmType type) implements Request {
    /// Ordinals are etcd's numbers. etcd crashes on an unknown one; we refuse it.
    public enum Action {
      GET,
      ACTIVATE,
      DEACTIVATE,
      UNKNOWN;

      private static final Action[] ALL = values();

      static Action of(int number) {
        return number >= 0 && number < UNKNOWN.ordinal() ? ALL[number] : UNKNOWN;
      }
    }
  }

  /// @param version `major.minor.0`
  record ClusterVersionSet(String version) implements Request {}

  /// What a member publishes about itself once it runs.
  record MemberAttributesSet(long memberId, String name, List<String> clientUrls) implements Request {
    public MemberAttributesSet {
      clientUrls = List.copyOf(clientUrls);
    }
  }

  /// @param version the target when `enabled`, else without meaning
  record DowngradeInfoSet(boolean enabled, String version) implements Request {}

  /// Does nothing: etcd's tests use it to make a log need a version.
  record DowngradeVersionTest(String version) implements Request {}
}
