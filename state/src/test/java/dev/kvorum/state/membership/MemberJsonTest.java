package dev.kvorum.state.membership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MemberJsonTest {
  private static final long ID = Long.parseUnsignedLong("2298523174006399892");
  private static final Member FULL =
      new Member(ID, List.of("http://127.0.0.1:13380"), true, "a", List.of("http://127.0.0.1:12379"));

  @Test
  void aMemberIsWrittenAsGoWritesIt() {
    assertThat(MemberJson.encode(FULL))
        .isEqualTo(
            "{\"id\":2298523174006399892,\"peerURLs\":[\"http://127.0.0.1:13380\"],\"isLearner\":true,"
                + "\"name\":\"a\",\"clientURLs\":[\"http://127.0.0.1:12379\"]}");
    assertThat(MemberJson.encode(Member.voter(-1, List.of())))
        .isEqualTo("{\"id\":18446744073709551615,\"peerURLs\":[]}");
    assertThat(MemberJson.encodePromotion(7)).isEqualTo("{\"id\":7,\"peerURLs\":null,\"isPromote\":true}");
  }

  @Test
  void textIsEscapedAsGoEscapesIt() {
    Member member = new Member(1, List.of(), false, "<a>&\"\\\n\r\t\b\f\u0001\u007f\u2028\u2029ä😀", List.of());
    assertThat(MemberJson.encode(member))
        .isEqualTo(
            "{\"id\":1,\"peerURLs\":[],\"name\":\"\\u003ca\\u003e\\u0026\\\"\\\\\\n\\r\\t\\b\\f\\u0001\u007f"
                + "\\u2028\\u2029ä😀\"}");
  }

  @Test
  void whatIsWrittenIsReadBack() throws IOException {
    assertThat(MemberJson.decode(MemberJson.encode(FULL))).isEqualTo(FULL);
    assertThat(MemberJson.decodeContext(MemberJson.encodePromotion(7)))
        .isEqualTo(new MemberJson.Context(new Member(7, null, false, "", List.of()), true));
  }

  @Test
  void unknownFieldsSpacesAndOtherCaseAreReadAsGoReadsThem() throws IOException {
    String json = " { \"ID\" : 5 , \"x\" : [ { \"y\" : -1.5e3 } , null , true ] , \"PeerUrls\" : [ \"\\u00e4\\/\" ] } ";
    assertThat(MemberJson.decode(json)).isEqualTo(Member.voter(5, List.of("ä/")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "{", "[]", "null", "{\"id\":}", "{\"id\":-1}", "{\"id\":18446744073709551616}", "{\"id\":1}x",
        "{\"id\":\"1\"}", "{\"name\":1}", "{\"name\":\"a}", "{\"name\":\"\\x\"}", "{\"peerURLs\":{}}", "{\"id\" 1}"
      })
  void whatIsNoMemberIsRefused(String json) {
    assertThatThrownBy(() -> MemberJson.decode(json)).isInstanceOf(IOException.class);
  }

  @Test
  void documentsNestedWithoutMeasureAreRefused() {
    assertThatThrownBy(() -> MemberJson.decode("{\"x\":" + "[".repeat(100_000))).isInstanceOf(IOException.class);
  }

  @Test
  void idsAreThoseEtcdComputes() {
    long a = MemberIds.ofBootstrap(List.of("http://127.0.0.1:13380"), "tok1");
    long b = MemberIds.ofBootstrap(List.of("http://127.0.0.1:13480"), "tok1");
    assertThat(MemberIds.toHex(a)).isEqualTo("1fe5fea60ea7a394");
    assertThat(MemberIds.toHex(b)).isEqualTo("2bb1d0f680a7b5c5");
    assertThat(MemberIds.toHex(MemberIds.ofCluster(List.of(b, a)))).isEqualTo("e1efa7880d34c317");
    assertThat(MemberIds.ofBootstrap(List.of("http://b:1", "http://a:1"), "t"))
        .isEqualTo(MemberIds.ofBootstrap(List.of("http://a:1", "http://b:1"), "t"));
    assertThat(MemberIds.ofAddition(List.of("http://a:1"), 1_700_000_000L))
        .isEqualTo(MemberIds.ofBootstrap(List.of("http://a:1"), "1700000000"));
    assertThat(MemberIds.ofHex("ffffffffffffffff")).isEqualTo(-1);
  }

  @Test
  void theConfigurationIsWrittenAsGoWritesIt() throws IOException {
    StoredConfState two =
        new StoredConfState(
            List.of(2298523174006399892L, 3148527371647694277L), List.of(), List.of(), List.of(), false);
    assertThat(two.toJson())
        .isEqualTo("{\"voters\":[2298523174006399892,3148527371647694277],\"auto_leave\":false}");
    StoredConfState all = new StoredConfState(List.of(-1L), List.of(2L), List.of(3L), List.of(4L), true);
    assertThat(all.toJson())
        .isEqualTo(
            "{\"voters\":[18446744073709551615],\"learners\":[2],\"voters_outgoing\":[3],\"learners_next\":[4],"
                + "\"auto_leave\":true}");
    assertThat(StoredConfState.ofJson(all.toJson())).isEqualTo(all);
    assertThat(StoredConfState.ofJson("{}").voters()).isEmpty();
  }

  @Test
  void aDowngradeIsWrittenAsGoWritesItAndOneToNowhereIsRefused() throws IOException {
    assertThat(new DowngradeInfo(true, "3.6.0").toJson()).isEqualTo("{\"target-version\":\"3.6.0\",\"enabled\":true}");
    assertThat(DowngradeInfo.NONE.toJson()).isEqualTo("{\"target-version\":\"\",\"enabled\":false}");
    assertThat(DowngradeInfo.ofJson("{\"target-version\":\"3.6.0\",\"enabled\":true}"))
        .isEqualTo(new DowngradeInfo(true, "3.6.0"));
    assertThatThrownBy(() -> DowngradeInfo.ofJson("{\"target-version\":\"x\",\"enabled\":true}"))
        .isInstanceOf(IOException.class);
  }
}
