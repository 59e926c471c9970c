package dev.kvorum.state.membership;

import dev.kvorum.state.schema.Version;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The membership at one moment, for other loops to read.
///
/// @param members ascending by unsigned id
/// @param removedIds ascending, unsigned; these may never come back
/// @param clusterVersion null until the cluster has decided
public record MembershipView(
    List<Member> members, List<Long> removedIds, @Nullable Version clusterVersion, DowngradeInfo downgradeInfo) {
  public static final MembershipView EMPTY = new MembershipView(List.of(), List.of(), null, DowngradeInfo.NONE);

  public MembershipView {
    members = List.copyOf(members);
    removedIds = List.copyOf(removedIds);
  }

  public @Nullable Member member(long id) {
    for (Member member : members) {
      if (member.id() == id) {
        return member;
      }
    }
    return null;
  }

  public boolean isRemoved(long id) {
    return removedIds.contains(id);
  }

  public List<Member> voters() {
    return members.stream().filter(member -> !member.isLearner()).toList();
  }
}
