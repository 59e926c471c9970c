package dev.kvorum.wal;

import dev.kvorum.env.Bytes;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The data of a `.snap` file and of a snapshot message: membership, as a dump of etcd's long-gone v2 store.
public final class V2MembershipJson {
  private V2MembershipJson() {}

  /// One member. `clientUrls` null: it has not published its attributes yet.
  public record Member(
      long id, List<String> peerUrls, boolean isLearner, String name, @Nullable List<String> clientUrls) {}

  /// @param members in any order; written ascending by unsigned id
  /// @param removed ids that may never come back
  /// @param clusterVersion such as `3.7.0`; null while not decided
  /// @param index the snapshot's
  public static Bytes encode(List<Member> members, List<Long> removed, @Nullable String clusterVersion, long index) {
    throw new UnsupportedOperationException("V2MembershipJson is being written");
  }
}
