package dev.kvorum.wal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class V2MembershipJsonTest {
  private static final String TIMES = "\"CreatedIndex\":0,\"ModifiedIndex\":0,\"ExpireTime\":\"0001-01-01T00:00:00Z\"";

  private static String directory(String path) {
    return "{\"Path\":\"" + path + "\"," + TIMES + ",\"Value\":\"\",\"Children\":{";
  }

  private static String leaf(String path, String value) {
    return "{\"Path\":\"" + path + "\"," + TIMES + ",\"Value\":\"" + value + "\",\"Children\":null}";
  }

  @Test
  void holdsMembersRemovedIdsAndVersion() {
    var member = new V2MembershipJson.Member(
        0x8e9e05c52164694dL, List.of("http://localhost:2380"), false, "a", List.of("http://localhost:2379"));
    String json = V2MembershipJson.encode(List.of(member), List.of(0x1fL), "3.7.0", 9).toUtf8();
    String path = "/0/members/8e9e05c52164694d";
    assertThat(json).isEqualTo("{\"Root\":" + directory("/") + "\"0\":" + directory("/0")
        + "\"members\":" + directory("/0/members") + "\"8e9e05c52164694d\":" + directory(path)
        + "\"attributes\":" + leaf(path + "/attributes",
            "{\\\"name\\\":\\\"a\\\",\\\"clientURLs\\\":[\\\"http://localhost:2379\\\"]}")
        + ",\"raftAttributes\":" + leaf(path + "/raftAttributes", "{\\\"peerURLs\\\":[\\\"http://localhost:2380\\\"]}")
        + "}}}},\"removed_members\":" + directory("/0/removed_members")
        + "\"1f\":" + leaf("/0/removed_members/1f", "") + "}}"
        + ",\"version\":" + leaf("/0/version", "3.7.0") + "}},\"1\":" + directory("/1") + "}}}}"
        + ",\"CurrentIndex\":9,\"CurrentVersion\":2}");
  }

  @Test
  void learnersSaySoAndUnpublishedMembersHaveNoAttributes() {
    var learner = new V2MembershipJson.Member(2, List.of("http://b:1", "http://b:2"), true, "", null);
    String json = V2MembershipJson.encode(List.of(learner), List.of(), null, 1).toUtf8();
    assertThat(json)
        .contains("{\\\"peerURLs\\\":[\\\"http://b:1\\\",\\\"http://b:2\\\"],\\\"isLearner\\\":true}")
        .doesNotContain("\"attributes\"")
        .doesNotContain("version\":{")
        .doesNotContain("removed_members");
  }

  @Test
  void namesAreQuotedTwice() {
    var odd = new V2MembershipJson.Member(1, List.of(), false, "a\"<\n", List.of());
    assertThat(V2MembershipJson.encode(List.of(odd), List.of(), null, 1).toUtf8())
        .contains("\"{\\\"name\\\":\\\"a\\\\\\\"\\\\u003c\\\\n\\\"}\"");
  }
}
