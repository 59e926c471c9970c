package dev.kvorum.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.api.EtcdError;
import dev.kvorum.env.Bytes;
import dev.kvorum.state.backend.BucketName;
import dev.kvorum.state.membership.DowngradeInfo;
import dev.kvorum.state.membership.Member;
import dev.kvorum.state.membership.MembershipChange;
import dev.kvorum.state.membership.MembershipEffect;
import dev.kvorum.state.membership.StoredConfState;
import dev.kvorum.state.schema.SchemaException;
import dev.kvorum.state.schema.Version;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class MembershipApplyTest {
  private static final Member ONE = Member.voter(0x11, List.of("http://a:1"));
  private static final Member TWO = Member.voter(-1, List.of("http://b:1", "http://b:2"));
  private static final Member LEARNER = Member.learner(0x33, List.of("http://c:1"));

  @TempDir Path directory;
  private StateRig rig;

  @BeforeEach
  void open() throws IOException {
    rig = new StateRig(directory.resolve("db"));
    rig.apply(MembershipChange.add(0, new Member(0x11, List.of("http://a:1"), false, "a", List.of())));
    rig.apply(MembershipChange.add(0, TWO));
    rig.apply(MembershipChange.add(1, LEARNER));
  }

  @AfterEach
  void close() throws IOException {
    rig.close();
  }

  static Stream<Arguments> refused() {
    Member fresh = Member.voter(0x44, List.of("http://d:1"));
    return Stream.of(
        Arguments.of("known id", MembershipChange.add(1, ONE), EtcdError.MEMBER_EXIST),
        Arguments.of("known id before used URL", MembershipChange.add(1, ONE.withPeerUrls(TWO.peerUrls())),
            EtcdError.MEMBER_EXIST),
        Arguments.of("used URL", MembershipChange.add(1, fresh.withPeerUrls(List.of("http://d:1", "http://b:2"))),
            EtcdError.PEER_URL_EXIST),
        Arguments.of("one learner too many", MembershipChange.add(1, Member.learner(0x44, List.of("http://d:1"))),
            EtcdError.TOO_MANY_LEARNERS),
        Arguments.of("URL before learners", MembershipChange.add(1, Member.learner(0x44, List.of("http://a:1"))),
            EtcdError.PEER_URL_EXIST),
        Arguments.of("promoting nobody", MembershipChange.promote(1, 0x44), EtcdError.MEMBER_NOT_FOUND),
        Arguments.of("promoting a voter", MembershipChange.promote(1, 0x11), EtcdError.MEMBER_NOT_LEARNER),
        Arguments.of("removing nobody", MembershipChange.remove(1, 0x44), EtcdError.MEMBER_NOT_FOUND),
        Arguments.of("updating nobody", MembershipChange.update(1, fresh), EtcdError.MEMBER_NOT_FOUND),
        Arguments.of("another's URL", MembershipChange.update(1, ONE.withPeerUrls(List.of("http://b:1"))),
            EtcdError.PEER_URL_EXIST));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refused")
  void changesAreRefusedAndChangeNothing(String name, MembershipChange change, EtcdError error) throws IOException {
    int before = rig.hash();
    ApplyOutcome outcome = rig.apply(change);
    assertThat(Objects.requireNonNull(outcome.refusal()).error()).isEqualTo(error);
    assertThat(outcome.effects()).isEmpty();
    assertThat(rig.hash()).isEqualTo(before);
    assertThat(rig.state.backend().committedIndex()).isEqualTo(rig.index);
  }

  @Test
  void membersAreStoredAsEtcdStoresThem() throws IOException {
    assertThat(rig.texts(BucketName.MEMBERS))
        .containsOnly(
            Map.entry("11", "{\"id\":17,\"peerURLs\":[\"http://a:1\"],\"name\":\"a\"}"),
            Map.entry("ffffffffffffffff", "{\"id\":18446744073709551615,\"peerURLs\":[\"http://b:1\",\"http://b:2\"]}"),
            Map.entry("33", "{\"id\":51,\"peerURLs\":[\"http://c:1\"],\"isLearner\":true}"));
    assertThat(rig.state.membership().view().members()).extracting(Member::id).containsExactly(0x11L, 0x33L, -1L);
  }

  @Test
  void aLearnerIsPromotedAndMakesRoomForAnother() throws IOException {
    ApplyOutcome outcome = rig.apply(MembershipChange.promote(1, 0x33));
    assertThat(outcome.refusal()).isNull();
    assertThat(outcome.effects())
        .containsExactly(
            new Effect.MembershipChanged(
                rig.state.membership().view(), new MembershipEffect.Promoted(LEARNER.promoted())));
    assertThat(rig.texts(BucketName.MEMBERS)).containsEntry("33", "{\"id\":51,\"peerURLs\":[\"http://c:1\"]}");
    assertThat(rig.apply(MembershipChange.add(1, Member.learner(0x44, List.of("http://d:1")))).refusal()).isNull();
  }

  @Test
  void aRemovedIdNeverComesBack() throws IOException {
    ApplyOutcome outcome = rig.apply(MembershipChange.remove(1, -1));
    assertThat(outcome.effects()).first()
        .isInstanceOfSatisfying(
            Effect.MembershipChanged.class,
            changed -> assertThat(changed.change()).isEqualTo(new MembershipEffect.Removed(-1)));
    assertThat(rig.texts(BucketName.MEMBERS_REMOVED)).containsOnly(Map.entry("ffffffffffffffff", "removed"));
    assertThat(rig.texts(BucketName.MEMBERS)).doesNotContainKey("ffffffffffffffff");
    for (MembershipChange change : List.of(
        MembershipChange.add(1, TWO), MembershipChange.remove(1, -1), MembershipChange.update(1, TWO),
        MembershipChange.promote(1, -1))) {
      assertThat(Objects.requireNonNull(rig.apply(change).refusal()).error()).isEqualTo(EtcdError.MEMBER_NOT_FOUND);
    }
    rig.apply(new Request.MemberAttributesSet(-1, "late", List.of()));
    assertThat(rig.state.membership().view().isRemoved(-1)).isTrue();
    assertThat(rig.state.membership().view().member(-1)).isNull();
  }

  @Test
  void anUpdateChangesPeerUrlsAlone() throws IOException {
    rig.apply(new Request.MemberAttributesSet(0x11, "a2", List.of("http://client:1")));
    Member update = new Member(0x11, List.of("http://new:1"), true, "ignored", List.of("http://ignored:1"));
    rig.apply(MembershipChange.update(1, update));
    assertThat(rig.state.membership().member(0x11))
        .isEqualTo(new Member(0x11, List.of("http://new:1"), false, "a2", List.of("http://client:1")));
  }

  @Test
  void everythingIsThereAfterARestart() throws IOException {
    rig.apply(new Request.ClusterVersionSet("3.6.0"));
    rig.apply(new Request.DowngradeInfoSet(true, "3.5.0"));
    rig.apply(MembershipChange.remove(1, -1));
    var before = rig.state.membership().view();
    assertThat(rig.texts(BucketName.CLUSTER))
        .containsOnly(
            Map.entry("clusterVersion", "3.6.0"),
            Map.entry("downgrade", "{\"target-version\":\"3.5.0\",\"enabled\":true}"));
    rig.crashAndReopen();
    assertThat(rig.state.membership().view()).isEqualTo(before);
    rig.apply(new Request.DowngradeInfoSet(false, "3.5.0"));
    assertThat(rig.state.membership().downgradeInfo()).isEqualTo(DowngradeInfo.NONE);
  }

  @Test
  void aReplayedRemovalIsToldAgainAndNothingElseIs() throws IOException {
    rig.apply(MembershipChange.remove(1, 0x33));
    rig.commit();
    rig.crashAndReopen();
    rig.index = 0;
    assertThat(rig.apply(MembershipChange.add(1, LEARNER)).effects()).isEmpty();
    ApplyOutcome outcome = rig.apply(MembershipChange.remove(1, 0x33));
    assertThat(outcome.result()).isEqualTo(ApplyOutcome.Result.Skipped.REPLAYED);
    assertThat(outcome.effects())
        .containsExactly(
            new Effect.MembershipChanged(rig.state.membership().view(), new MembershipEffect.Removed(0x33)));
    rig.applyAt(3, new Request.ClusterVersionSet("3.0.0"), true);
    assertThat(rig.state.membership().clusterVersion()).isNull();
  }

  @Test
  void aContextAboutAnotherMemberStopsThisOne() {
    MembershipChange change =
        new MembershipChange(1, MembershipChange.Type.ADD_NODE, 0x55, MembershipChange.add(1, ONE).context());
    assertThatThrownBy(() -> rig.apply(change)).isInstanceOf(UnappliableException.class);
    MembershipChange garbage = new MembershipChange(1, MembershipChange.Type.ADD_NODE, 0x55, Bytes.utf8("{"));
    assertThatThrownBy(() -> rig.apply(garbage)).isInstanceOf(UnappliableException.class);
  }

  @Test
  void aLoweredClusterVersionIsToldAsSuch() throws IOException {
    assertThat(lowered("3.6.0")).isFalse();
    assertThat(lowered("3.7.0")).isFalse();
    assertThat(lowered("3.7.0")).isFalse();
    assertThat(lowered("3.6.0")).isTrue();
  }

  private boolean lowered(String version) throws IOException {
    Effect effect = rig.apply(new Request.ClusterVersionSet(version)).effects().getFirst();
    return ((Effect.ClusterVersionChanged) effect).lowered();
  }

  @Test
  void raftsConfigurationIsKept() throws IOException {
    StoredConfState confState =
        new StoredConfState(
            List.of(2298523174006399892L, 3148527371647694277L), List.of(), List.of(), List.of(), false);
    rig.state.applier().confState(confState);
    assertThat(rig.texts(BucketName.META))
        .containsEntry("confState", "{\"voters\":[2298523174006399892,3148527371647694277],\"auto_leave\":false}");
    assertThat(rig.state.confState()).isEqualTo(confState);
  }

  @Test
  void theSchemaFollowsStepByStepAndRefusesWhatItCannot() throws Exception {
    rig.commit();
    assertThat(rig.state.schema().detect(StateRig.TERM)).isEqualTo(Version.V3_5);
    assertThat(rig.state.migrateSchema(Version.V3_7, null)).containsExactly(Version.V3_6, Version.V3_7);
    assertThat(rig.texts(BucketName.META)).containsEntry("storageVersion", "3.7.0");
    assertThat(rig.state.migrateSchema(Version.V3_7, null)).isEmpty();
    assertThatThrownBy(() -> rig.state.migrateSchema(Version.of(3, 8), null))
        .isInstanceOf(SchemaException.class)
        .hasMessage("cannot create migration plan: version \"3.8.0\" is not supported");
    assertThatThrownBy(() -> rig.state.migrateSchema(Version.of(4, 0), null))
        .hasMessageContaining("changing major storage version is not supported");
    assertThatThrownBy(() -> rig.state.migrateSchema(Version.V3_6, Version.V3_7))
        .hasMessageContaining(
            "WAL contains newer entries, as the target version (3.6.0) is lower than the version (3.7.0)");
    rig.crashAndReopen();
    assertThat(rig.state.schema().recorded()).isEqualTo(Version.V3_7);
    assertThat(rig.state.migrateSchema(Version.V3_5, Version.V3_5)).containsExactly(Version.V3_6, Version.V3_5);
    assertThat(rig.texts(BucketName.META)).doesNotContainKey("storageVersion");
  }

  @Test
  void aFreshFileHasNoSchemaYet() throws Exception {
    try (StateRig fresh = new StateRig(directory.resolve("fresh"))) {
      assertThat(fresh.state.schema().detect(0)).isNull();
      assertThatThrownBy(() -> fresh.state.migrateSchema(Version.V3_7, null))
          .hasMessage("cannot detect storage schema version: missing term information");
      assertThat(fresh.bucket(BucketName.AUTH))
          .containsOnly(Map.entry(Bytes.utf8("authRevision").toString(), "0000000000000001"));
    }
  }

  @Test
  void aFileOfANewerSchemaOrWithAuthenticationOnIsRefused() throws Exception {
    rig.state.backend().batch().put(BucketName.META, Bytes.utf8("storageVersion"), Bytes.utf8("3.9.0"));
    rig.commit();
    assertThatThrownBy(rig::crashAndReopen).isInstanceOf(UnappliableException.class);
    Path guarded = directory.resolve("guarded");
    try (StateRig other = new StateRig(guarded)) {
      other.state.backend().batch().put(BucketName.AUTH, Bytes.utf8("authEnabled"), Bytes.wrap(new byte[] {1}));
      other.commit();
    }
    assertThatThrownBy(() -> new StateRig(guarded)).isInstanceOf(UnappliableException.class);
    rig = new StateRig(directory.resolve("last"));
  }
}
