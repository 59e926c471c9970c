package dev.kvorum.member;

import dev.kvorum.raft.ConfChange;
import dev.kvorum.raft.ConfChangeCodec;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.HardState;
import dev.kvorum.state.membership.Member;
import dev.kvorum.state.membership.MembershipChange;
import dev.kvorum.state.membership.MembershipView;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Whether a member is alone in its cluster, by its db and the log that follows; and how it is made so.
///
/// `--force-new-cluster` is the way out when a majority is lost for good: what was not known to be committed is dropped,
/// and the log goes on with entries, declared committed, that remove everyone else. They are ordinary configuration
/// changes, so whoever replays this log later comes to the same members. Source: `wal-snap-format.md` §5.6.
final class LoneMember {
  /// The address etcd, too, gives to a member that its own cluster does not know.
  private static final String PEER_URL = "http://localhost:2380";

  private final long self;
  private final MembershipView members;
  private final long applied;

  /// @param members as of entry `applied`
  LoneMember(long self, MembershipView members, long applied) {
    this.self = self;
    this.members = members;
    this.applied = applied;
  }

  /// What to go on with.
  ///
  /// @param entries all that follow the start
  /// @param appended the new ones among them, at their end; to be written before anything else
  record Forced(HardState hardState, List<Entry> entries, List<Entry> appended) {}

  /// Before a first start. @throws StartupException when others are to belong to the cluster
  static void requireFounding(MemberConfig config) throws StartupException {
    if (config.clusterExists()) {
      throw new StartupException(
          "joining an existing cluster is not available in this release of Kvorum (--initial-cluster-state=existing)");
    }
    if (config.initialCluster().size() != 1) {
      throw new StartupException(
          "clusters of more than one member are not available in this release of Kvorum (--initial-cluster)");
    }
  }

  /// @throws StartupException when others belong to the cluster: this release cannot reach them
  void require(List<Entry> entries) throws StartupException {
    if (after(entries).keySet().stream().anyMatch(id -> id != self)) {
      throw new StartupException(
          "clusters of more than one member are not available in this release of Kvorum"
              + " (--force-new-cluster makes one of this member alone)");
    }
  }

  Forced force(HardState hardState, List<Entry> entries) {
    long commit = Math.max(hardState.commit(), applied);
    List<Entry> kept = new ArrayList<>(entries);
    kept.removeIf(entry -> entry.index() > commit);
    TreeMap<Long, Boolean> learning = after(kept);
    List<Entry> appended = new ArrayList<>();
    for (MembershipChange change : changes(learning)) {
      ConfChange.V1 conf =
          new ConfChange.V1(
              0, ConfChange.Type.values()[change.type().ordinal()], change.nodeId(), change.context());
      appended.add(
          new Entry(
              EntryType.CONF_CHANGE,
              hardState.term(),
              commit + 1 + appended.size(),
              ConfChangeCodec.encode(conf)));
    }
    kept.addAll(appended);
    return new Forced(
        new HardState(hardState.term(), hardState.vote(), commit + appended.size()), kept, appended);
  }

  private List<MembershipChange> changes(TreeMap<Long, Boolean> learning) {
    List<MembershipChange> changes = new ArrayList<>();
    @Nullable Boolean learns = learning.get(self);
    if (learns == null) {
      changes.add(MembershipChange.add(0, Member.voter(self, List.of(PEER_URL))));
    } else if (learns) {
      changes.add(MembershipChange.promote(0, self));
    }
    for (long id : learning.keySet()) {
      if (id != self) {
        changes.add(MembershipChange.remove(0, id));
      }
    }
    return changes;
  }

  /// Who belongs to the cluster, and whether as a learner, once `entries` are applied.
  private TreeMap<Long, Boolean> after(List<Entry> entries) {
    TreeMap<Long, Boolean> learning = new TreeMap<>(Long::compareUnsigned);
    members.members().forEach(member -> learning.put(member.id(), member.isLearner()));
    for (Entry entry : entries) {
      if (entry.index() > applied && entry.type() == EntryType.CONF_CHANGE) {
        ConfChange.V1 change = ConfChangeCodec.decodeV1(entry.data());
        switch (change.type()) {
          case ADD_NODE -> learning.put(change.nodeId(), false);
          case ADD_LEARNER_NODE -> learning.put(change.nodeId(), true);
          case REMOVE_NODE -> learning.remove(change.nodeId());
          case UPDATE_NODE -> {}
        }
      }
    }
    return learning;
  }
}
