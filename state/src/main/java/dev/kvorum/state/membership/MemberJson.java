package dev.kvorum.state.membership;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The JSON forms of members, to the byte as Go writes them: in the `members` bucket, and as the context of
/// configuration changes in the log.
public final class MemberJson {
  private MemberJson() {}

  /// `{"id":…,"peerURLs":[…],"isLearner":true,"name":"…","clientURLs":[…]}`, the last three only when they say
  /// something.
  public static String encode(Member member) {
    return write(member).finish();
  }

  /// The context of a promotion: a member with nothing but its id, and the word.
  public static String encodePromotion(long id) {
    return write(new Member(id, null, false, "", List.of())).flag("isPromote", true).finish();
  }

  /// Unknown fields are passed over. @throws IOException when `json` is no member
  public static Member decode(String json) throws IOException {
    return member(JsonReader.object(json));
  }

  /// Reads what [#encode] or [#encodePromotion] wrote.
  static Context decodeContext(String json) throws IOException {
    Map<String, @Nullable Object> object = JsonReader.object(json);
    return new Context(member(object), JsonReader.flag(object, "ispromote"));
  }

  record Context(Member member, boolean isPromote) {}

  private static JsonWriter write(Member member) {
    JsonWriter out = new JsonWriter().unsigned("id", member.id()).texts("peerURLs", member.peerUrls());
    if (member.isLearner()) {
      out.flag("isLearner", true);
    }
    if (!member.name().isEmpty()) {
      out.text("name", member.name());
    }
    if (!member.clientUrls().isEmpty()) {
      out.texts("clientURLs", member.clientUrls());
    }
    return out;
  }

  private static Member member(Map<String, @Nullable Object> object) throws IOException {
    List<String> clientUrls = JsonReader.texts(object, "clienturls");
    return new Member(
        JsonReader.unsigned(object, "id"),
        JsonReader.texts(object, "peerurls"),
        JsonReader.flag(object, "islearner"),
        JsonReader.text(object, "name"),
        clientUrls == null ? List.of() : clientUrls);
  }
}
