package dev.kvorum.state.membership;

import dev.kvorum.env.Invariant;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;

/// Identities of members and clusters, which are hashes of what they were made from (`peer-protocol.md` §8).
public final class MemberIds {
  private MemberIds() {}

  /// The id of a member that is there from the beginning: every member computes the same one.
  ///
  /// @param clusterToken `--initial-cluster-token`
  public static long ofBootstrap(List<String> peerUrls, String clusterToken) {
    return hash(String.join("", sorted(peerUrls)) + clusterToken);
  }

  /// The id of a member added at run time: the time makes it new, for a removed id may never come back.
  ///
  /// @param unixSeconds when it was asked for, by the clock of the member asked
  public static long ofAddition(List<String> peerUrls, long unixSeconds) {
    return hash(String.join("", sorted(peerUrls)) + unixSeconds);
  }

  /// The id of a cluster, fixed when it is made by its first members' ids.
  public static long ofCluster(List<Long> memberIds) {
    ByteBuffer bytes = ByteBuffer.allocate(8 * memberIds.size());
    memberIds.stream().sorted(Long::compareUnsigned).forEach(bytes::putLong);
    return firstLong(sha1().digest(bytes.array()));
  }

  /// As etcd prints ids and names bucket entries: lower-case hex without padding.
  public static String toHex(long id) {
    return Long.toHexString(id);
  }

  /// @throws NumberFormatException when `hex` is no 64-bit hexadecimal number
  public static long ofHex(String hex) {
    return Long.parseUnsignedLong(hex, 16);
  }

  private static List<String> sorted(List<String> urls) {
    return urls.stream().sorted(MemberIds::compareUtf8).toList();
  }

  /// Go sorts strings by their bytes, Java by UTF-16 units.
  private static int compareUtf8(String left, String right) {
    return Arrays.compareUnsigned(
        left.getBytes(StandardCharsets.UTF_8), right.getBytes(StandardCharsets.UTF_8));
  }

  private static long hash(String text) {
    return firstLong(sha1().digest(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static long firstLong(byte[] digest) {
    return ByteBuffer.wrap(digest).getLong();
  }

  private static MessageDigest sha1() {
    try {
      return MessageDigest.getInstance("SHA-1");
    } catch (NoSuchAlgorithmException _) {
      throw Invariant.unreachable("every JDK has SHA-1");
    }
  }
}
