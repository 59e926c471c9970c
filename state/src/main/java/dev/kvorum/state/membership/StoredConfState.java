package dev.kvorum.state.membership;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Raft's configuration as the `meta` bucket keeps it, in etcd's JSON. The same fields as raft's own record, which this
/// module does not see.
public record StoredConfState(
    List<Long> voters, List<Long> learners, List<Long> votersOutgoing, List<Long> learnersNext, boolean autoLeave) {
  public StoredConfState {
    voters = List.copyOf(voters);
    learners = List.copyOf(learners);
    votersOutgoing = List.copyOf(votersOutgoing);
    learnersNext = List.copyOf(learnersNext);
  }

  /// `{"voters":[…],"learners":[…],…,"auto_leave":false}`; empty lists are left out, `auto_leave` never is.
  public String toJson() {
    JsonWriter out = new JsonWriter();
    put(out, "voters", voters);
    put(out, "learners", learners);
    put(out, "voters_outgoing", votersOutgoing);
    put(out, "learners_next", learnersNext);
    return out.flag("auto_leave", autoLeave).finish();
  }

  public static StoredConfState ofJson(String json) throws IOException {
    Map<String, @Nullable Object> object = JsonReader.object(json);
    return new StoredConfState(
        JsonReader.unsigneds(object, "voters"),
        JsonReader.unsigneds(object, "learners"),
        JsonReader.unsigneds(object, "voters_outgoing"),
        JsonReader.unsigneds(object, "learners_next"),
        JsonReader.flag(object, "auto_leave"));
  }

  private static void put(JsonWriter out, String name, List<Long> ids) {
    if (!ids.isEmpty()) {
      out.unsigneds(name, ids);
    }
  }
}
