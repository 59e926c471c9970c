package dev.kvorum.wal;

import dev.kvorum.api.GoJson;
import dev.kvorum.env.Bytes;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The data of a `.snap` file and of a snapshot message: membership, as a dump of etcd's long-gone v2 store.
///
/// Nobody of version 3.7 reads it, but 3.6 and older start from it, so it must stay loadable by them: directories `/0`
/// (the cluster) and an empty `/1`, and no watcher hub (one of capacity 0 would crash them).
///
/// ```text
/// /0/members/<hex id>/raftAttributes = {"peerURLs":[…],"isLearner":true}
/// /0/members/<hex id>/attributes     = {"name":"…","clientURLs":[…]}      once published
/// /0/removed_members/<hex id>        = ""
/// /0/version                         = 3.7.0                               once decided
/// ```
public final class V2MembershipJson {
  private V2MembershipJson() {}

  /// One member. `clientUrls` null: it has not published its attributes yet.
  public record Member(
      long id, List<String> peerUrls, boolean isLearner, String name, @Nullable List<String> clientUrls) {}

  /// @param members in any order
  /// @param removed ids that may never come back
  /// @param clusterVersion such as `3.7.0`; null while not decided
  /// @param index the snapshot's
  public static Bytes encode(List<Member> members, List<Long> removed, @Nullable String clusterVersion, long index) {
    Directory root = new Directory();
    Directory cluster = root.directory("0");
    root.directory("1");
    for (Member member : members) {
      Directory node = cluster.directory("members").directory(Long.toHexString(member.id()));
      node.leaf("raftAttributes", raftAttributes(member));
      if (member.clientUrls() != null) {
        node.leaf("attributes", attributes(member.name(), member.clientUrls()));
      }
    }
    for (long id : removed) {
      cluster.directory("removed_members").leaf(Long.toHexString(id), "");
    }
    if (clusterVersion != null) {
      cluster.leaf("version", clusterVersion);
    }
    StringBuilder json = new StringBuilder(1024).append("{\"Root\":");
    root.write("/", json);
    json.append(",\"CurrentIndex\":").append(Long.toUnsignedString(index)).append(",\"CurrentVersion\":2}");
    return Bytes.utf8(json.toString());
  }

  private static String raftAttributes(Member member) {
    StringBuilder json = new StringBuilder("{\"peerURLs\":");
    strings(member.peerUrls(), json);
    return json.append(member.isLearner() ? ",\"isLearner\":true}" : "}").toString();
  }

  /// Go leaves out what is empty.
  private static String attributes(String name, List<String> clientUrls) {
    StringBuilder json = new StringBuilder("{");
    if (!name.isEmpty()) {
      GoJson.quote(name, json.append("\"name\":"));
    }
    if (!clientUrls.isEmpty()) {
      strings(clientUrls, json.append(name.isEmpty() ? "\"clientURLs\":" : ",\"clientURLs\":"));
    }
    return json.append('}').toString();
  }

  private static void strings(List<String> values, StringBuilder json) {
    char before = '[';
    for (String value : values) {
      GoJson.quote(value, json.append(before));
      before = ',';
    }
    json.append(before == '[' ? "[]" : "]");
  }

  private sealed interface Node permits Directory, Leaf {}

  private record Leaf(String value) implements Node {}

  private record Directory(Map<String, Node> children) implements Node {
    Directory() {
      this(new TreeMap<>());
    }

    Directory directory(String name) {
      return (Directory) children.computeIfAbsent(name, absent -> new Directory());
    }

    void leaf(String name, String value) {
      children.put(name, new Leaf(value));
    }

    void write(String path, StringBuilder json) {
      head(path, "", json);
      json.append('{');
      String before = "";
      for (Map.Entry<String, Node> child : children.entrySet()) {
        String childPath = (path.equals("/") ? "" : path) + "/" + child.getKey();
        GoJson.quote(child.getKey(), json.append(before));
        json.append(':');
        switch (child.getValue()) {
          case Directory directory -> directory.write(childPath, json);
          case Leaf(String value) -> {
            head(childPath, value, json);
            json.append("null}");
          }
        }
        before = ",";
      }
      json.append("}}");
    }

    private static void head(String path, String value, StringBuilder json) {
      GoJson.quote(path, json.append("{\"Path\":"));
      json.append(",\"CreatedIndex\":0,\"ModifiedIndex\":0,\"ExpireTime\":\"0001-01-01T00:00:00Z\"");
      GoJson.quote(value, json.append(",\"Value\":"));
      json.append(",\"Children\":");
    }
  }
}
