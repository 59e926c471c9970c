package dev.kvorum.state.membership;

import dev.kvorum.env.Bytes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/// A change of who the members are, as a configuration-change entry carries it (`apply-semantics.md` §1.2).
///
/// @param id the proposer's request id; 0 for those a new cluster begins with
/// @param nodeId whom it is about
/// @param context JSON; empty for a removal
public record MembershipChange(long id, Type type, long nodeId, Bytes context) {

  /// Ordinals are the numbers of etcd's `raftpb.ConfChangeType`.
  public enum Type {
    ADD_NODE,
    REMOVE_NODE,
    UPDATE_NODE,
    ADD_LEARNER_NODE
  }

  public static MembershipChange add(long id, Member member) {
    Type type = member.isLearner() ? Type.ADD_LEARNER_NODE : Type.ADD_NODE;
    return new MembershipChange(id, type, member.id(), Bytes.utf8(MemberJson.encode(member)));
  }

  public static MembershipChange promote(long id, long nodeId) {
    return new MembershipChange(id, Type.ADD_NODE, nodeId, Bytes.utf8(MemberJson.encodePromotion(nodeId)));
  }

  /// New peer URLs for `member`.
  public static MembershipChange update(long id, Member member) {
    return new MembershipChange(id, Type.UPDATE_NODE, member.id(), Bytes.utf8(MemberJson.encode(member)));
  }

  public static MembershipChange remove(long id, long nodeId) {
    return new MembershipChange(id, Type.REMOVE_NODE, nodeId, Bytes.EMPTY);
  }

  /// @throws IOException when the context is not what such a change must carry; the member stops then, as etcd does
  MemberJson.Context decodeContext() throws IOException {
    MemberJson.Context decoded =
        MemberJson.decodeContext(new String(context.array(), StandardCharsets.UTF_8));
    if (decoded.member().id() != nodeId) {
      throw new IOException(
          "got different member ID: " + MemberIds.toHex(nodeId) + " from the entry, "
              + MemberIds.toHex(decoded.member().id()) + " from its context");
    }
    return decoded;
  }
}
