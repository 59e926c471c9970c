package dev.kvorum.member;

import dev.kvorum.raft.ConfChange;
import dev.kvorum.raft.ConfChangeCodec;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.state.membership.Member;
import dev.kvorum.state.membership.MemberIds;
import dev.kvorum.state.membership.MembershipView;
import dev.kvorum.wal.WalOpening;
import dev.kvorum.wal.WalSnapshot;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Whether a db and the log beside it are of one member. Asked before the log is changed: what is behind the end of a
/// damaged one is still there then.
///
/// @param db its file
/// @param applied the last entry in it
/// @param members as of that entry
record DbBesideLog(Path db, long applied, MembershipView members) {

  /// @param start where `log` was read from
  /// @throws StartupException when they are not; whatever the flags, for to go on would mix two members' states
  void requireOneMember(Path walDir, WalSnapshot start, WalOpening log) throws StartupException {
    requireSameCluster(walDir, start, log);
    long last = log.entries().isEmpty() ? start.index() : log.entries().getLast().index();
    if (applied > last) {
      throw new StartupException(
          "database file (%s index %d) does not match with log (last index %d): the log ends at offset %d of %s"
              .formatted(db, applied, last, log.endOffset(), log.lastSegment()));
    }
  }

  /// A db does not say whose it is, but it knows its members, and those removed. A member that is joining may have
  /// applied less of the log than its own addition: then the log itself says that it was not a member yet, and who was.
  private void requireSameCluster(Path walDir, WalSnapshot start, WalOpening log) throws StartupException {
    long self = log.metadata().nodeId();
    if (members.members().isEmpty() || members.member(self) != null || members.isRemoved(self)) {
      return;
    }
    Set<Long> added = addedByLog(start, log);
    boolean shared = members.members().stream().anyMatch(member -> added.contains(member.id()));
    if (added.contains(self) || !added.isEmpty() && !shared) {
      throw new StartupException(
          "database file (%s) is of another cluster than the log in %s: its members %s do not include %s of cluster %s"
              .formatted(
                  db,
                  walDir,
                  members.members().stream().map(Member::id).map(MemberIds::toHex).collect(Collectors.toList()),
                  MemberIds.toHex(self),
                  MemberIds.toHex(log.metadata().clusterId())));
    }
  }

  /// Who has been a member by entry `applied`, as far as the log goes back.
  private Set<Long> addedByLog(WalSnapshot start, WalOpening log) {
    Set<Long> added = new TreeSet<>(start.confState().voters());
    added.addAll(start.confState().learners());
    for (Entry entry : log.entries()) {
      if (entry.index() <= applied && entry.type() == EntryType.CONF_CHANGE) {
        ConfChange.V1 change = ConfChangeCodec.decodeV1(entry.data());
        if (change.type() == ConfChange.Type.ADD_NODE || change.type() == ConfChange.Type.ADD_LEARNER_NODE) {
          added.add(change.nodeId());
        }
      }
    }
    return added;
  }
}
