package dev.kvorum.state.membership;

import dev.kvorum.api.EtcdError;
import dev.kvorum.env.Bytes;
import dev.kvorum.state.UnappliableException;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.BucketName;
import dev.kvorum.state.backend.WriteBatch;
import dev.kvorum.state.schema.Version;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// The members, the removed, the cluster version and the downgrade: in memory, and in the buckets `members`,
/// `members_removed` and `cluster` (`backend-schema.md` §6, §7).
///
/// Memory is what the db says, always: it is loaded from there, and changes together with it. (etcd keeps the two apart
/// and lets replayed entries change memory alone; replay here changes nothing, for what it would do is loaded already.)
///
/// Owned by the apply loop; others read a [MembershipView].
public final class Membership {
  private static final Bytes CLUSTER_VERSION = Bytes.utf8("clusterVersion");
  private static final Bytes DOWNGRADE = Bytes.utf8("downgrade");
  private static final Bytes REMOVED = Bytes.utf8("removed");

  private final TreeMap<Long, Member> members = new TreeMap<>(Long::compareUnsigned);
  private final TreeSet<Long> removed = new TreeSet<>(Long::compareUnsigned);
  private @Nullable Version clusterVersion;
  private DowngradeInfo downgradeInfo = DowngradeInfo.NONE;
  private @Nullable MembershipView view;

  private Membership() {}

  /// @throws UnappliableException when the db says what cannot be, or a cluster version above our own
  public static Membership load(Backend backend) throws IOException {
    Membership membership = new Membership();
    Map<Bytes, Bytes> records = new TreeMap<>();
    backend.forEach(BucketName.MEMBERS, records::put);
    for (Map.Entry<Bytes, Bytes> record : records.entrySet()) {
      long id = id(record.getKey());
      Member stored = decodeMember(record.getValue());
      membership.members.put(
          id, new Member(id, stored.peerUrls(), stored.isLearner(), stored.name(), stored.clientUrls()));
    }
    List<Bytes> removedKeys = new ArrayList<>();
    backend.forEach(BucketName.MEMBERS_REMOVED, (key, _) -> removedKeys.add(key));
    for (Bytes key : removedKeys) {
      membership.removed.add(id(key));
    }
    membership.loadCluster(backend);
    return membership;
  }

  private void loadCluster(Backend backend) throws IOException {
    byte[] version = backend.get(BucketName.CLUSTER, CLUSTER_VERSION);
    if (version != null) {
      clusterVersion = checked(Bytes.wrap(version).toUtf8());
    }
    byte[] downgrade = backend.get(BucketName.CLUSTER, DOWNGRADE);
    if (downgrade != null) {
      downgradeInfo = DowngradeInfo.ofJson(Bytes.wrap(downgrade).toUtf8());
    }
  }

  /// What is true now; the same instance until something changes.
  public MembershipView view() {
    MembershipView current = view;
    if (current == null) {
      current = new MembershipView(
          List.copyOf(members.values()), List.copyOf(removed), clusterVersion, downgradeInfo);
      view = current;
    }
    return current;
  }

  public @Nullable Member member(long id) {
    return members.get(id);
  }

  public boolean isRemoved(long id) {
    return removed.contains(id);
  }

  /// Null until the cluster has decided.
  public @Nullable Version clusterVersion() {
    return clusterVersion;
  }

  public DowngradeInfo downgradeInfo() {
    return downgradeInfo;
  }

  /// What a committed change is refused for; null when it stands. All members must come to the same answer, so
  /// `learnersMax` must be the same on all.
  ///
  /// Source: `apply-semantics.md` §4.
  ///
  /// @throws UnappliableException when the change says what no proposer says
  public @Nullable EtcdError validate(MembershipChange change, int learnersMax) throws UnappliableException {
    if (removed.contains(change.nodeId())) {
      return EtcdError.MEMBER_NOT_FOUND;
    }
    Member known = members.get(change.nodeId());
    return switch (change.type()) {
      case ADD_NODE, ADD_LEARNER_NODE -> {
        MemberJson.Context context = context(change);
        yield context.isPromote() ? validatePromotion(known) : validateAddition(change, context, known, learnersMax);
      }
      case REMOVE_NODE -> known == null ? EtcdError.MEMBER_NOT_FOUND : null;
      case UPDATE_NODE -> {
        if (known == null) {
          yield EtcdError.MEMBER_NOT_FOUND;
        }
        yield anyUsed(context(change).member().peerUrlsOrNone(), known.id()) ? EtcdError.PEER_URL_EXIST : null;
      }
    };
  }

  private static @Nullable EtcdError validatePromotion(@Nullable Member known) {
    if (known == null) {
      return EtcdError.MEMBER_NOT_FOUND;
    }
    return known.isLearner() ? null : EtcdError.MEMBER_NOT_LEARNER;
  }

  private @Nullable EtcdError validateAddition(
      MembershipChange change, MemberJson.Context context, @Nullable Member known, int learnersMax) {
    if (known != null) {
      return EtcdError.MEMBER_EXIST;
    }
    // 0 is no member's id, so every member's URLs count.
    if (anyUsed(context.member().peerUrlsOrNone(), 0)) {
      return EtcdError.PEER_URL_EXIST;
    }
    if (context.member().isLearner() && change.type() == MembershipChange.Type.ADD_LEARNER_NODE) {
      long learners = members.values().stream().filter(Member::isLearner).count();
      return learners + 1 > learnersMax ? EtcdError.TOO_MANY_LEARNERS : null;
    }
    return null;
  }

  private boolean anyUsed(List<String> urls, long exceptId) {
    return members.values().stream()
        .filter(member -> member.id() != exceptId)
        .anyMatch(member -> member.peerUrlsOrNone().stream().anyMatch(urls::contains));
  }

  /// Carries out a change that [#validate] has nothing against.
  public MembershipEffect apply(WriteBatch batch, MembershipChange change) throws UnappliableException {
    long id = change.nodeId();
    return switch (change.type()) {
      case ADD_NODE, ADD_LEARNER_NODE -> {
        MemberJson.Context context = context(change);
        if (context.isPromote()) {
          Member promoted = known(id).promoted();
          save(batch, promoted);
          yield new MembershipEffect.Promoted(promoted);
        }
        save(batch, context.member());
        yield new MembershipEffect.Added(context.member());
      }
      case REMOVE_NODE -> {
        members.remove(id);
        removed.add(id);
        view = null;
        batch.delete(BucketName.MEMBERS, key(id));
        batch.put(BucketName.MEMBERS_REMOVED, key(id), REMOVED);
        yield new MembershipEffect.Removed(id);
      }
      case UPDATE_NODE -> {
        Member updated = known(id).withPeerUrls(context(change).member().peerUrls());
        save(batch, updated);
        yield new MembershipEffect.Updated(updated);
      }
    };
  }

  /// @throws UnappliableException for attributes of a member nobody ever knew
  public void checkAttributes(long id) throws UnappliableException {
    if (!removed.contains(id)) {
      known(id);
    }
  }

  /// @throws UnappliableException when `text` is no version, or one above our own: a member that old must not go on
  public static void checkClusterVersion(String text) throws UnappliableException {
    checked(text);
  }

  /// What a member publishes about itself. A removed member's word is passed over.
  ///
  /// @return false when it was
  /// @throws UnappliableException for a member nobody ever knew
  public boolean setAttributes(WriteBatch batch, long id, String name, List<String> clientUrls)
      throws UnappliableException {
    Member known = members.get(id);
    if (known == null && removed.contains(id)) {
      return false;
    }
    save(batch, known(id).withAttributes(name, clientUrls));
    return true;
  }

  /// @return the version before; null when there was none
  /// @throws UnappliableException when `text` is no version, or one above our own: a member that old must not go on
  public @Nullable Version setClusterVersion(WriteBatch batch, String text) throws UnappliableException {
    Version next = checked(text);
    Version before = clusterVersion;
    clusterVersion = next;
    view = null;
    batch.put(BucketName.CLUSTER, CLUSTER_VERSION, Bytes.utf8(next.toString()));
    return before;
  }

  public void setDowngradeInfo(WriteBatch batch, DowngradeInfo info) {
    downgradeInfo = info;
    view = null;
    batch.put(BucketName.CLUSTER, DOWNGRADE, Bytes.utf8(info.toJson()));
  }

  private void save(WriteBatch batch, Member member) {
    members.put(member.id(), member);
    view = null;
    batch.put(BucketName.MEMBERS, key(member.id()), Bytes.utf8(MemberJson.encode(member)));
  }

  private Member known(long id) throws UnappliableException {
    Member member = members.get(id);
    if (member == null) {
      throw new UnappliableException("failed to update; member unknown: " + MemberIds.toHex(id));
    }
    return member;
  }

  private static Version checked(String text) throws UnappliableException {
    Version version = Version.parse(text);
    if (version == null) {
      throw new UnappliableException("the cluster version \"" + text + "\" is no version");
    }
    if (Version.SERVER.majorMinor().isBelow(version)) {
      throw new UnappliableException(
          "invalid downgrade; server version is lower than determined cluster version: " + Version.SERVER + ", "
              + version);
    }
    return version;
  }

  private static MemberJson.Context context(MembershipChange change) throws UnappliableException {
    try {
      return change.decodeContext();
    } catch (IOException e) {
      throw new UnappliableException("a configuration change cannot be read: " + e.getMessage(), e);
    }
  }

  private static Member decodeMember(Bytes json) throws UnappliableException {
    try {
      return MemberJson.decode(json.toUtf8());
    } catch (IOException e) {
      throw new UnappliableException("the members bucket holds what is no member: " + e.getMessage(), e);
    }
  }

  private static long id(Bytes key) throws UnappliableException {
    try {
      return MemberIds.ofHex(key.toUtf8());
    } catch (NumberFormatException e) {
      throw new UnappliableException("a member is filed under what is no id: " + key, e);
    }
  }

  private static Bytes key(long id) {
    return Bytes.utf8(MemberIds.toHex(id));
  }
}
