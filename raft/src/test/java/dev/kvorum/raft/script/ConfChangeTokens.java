package dev.kvorum.raft.script;

import dev.kvorum.raft.ConfChange.Single;
import dev.kvorum.raft.ConfChange.Type;
import java.util.ArrayList;
import java.util.List;

/// Changes as scripts write them: `v1 l2 r3 u4`.
final class ConfChangeTokens {
  private ConfChangeTokens() {}

  /// @throws IllegalArgumentException with the text the script expects
  static List<Single> parse(String input) {
    List<Single> changes = new ArrayList<>();
    for (String token : input.strip().split("\\s+")) {
      if (token.isEmpty()) {
        continue;
      }
      if (token.length() < 2) {
        throw new IllegalArgumentException("unknown token " + token);
      }
      Type type =
          switch (token.charAt(0)) {
            case 'v' -> Type.ADD_NODE;
            case 'l' -> Type.ADD_LEARNER_NODE;
            case 'r' -> Type.REMOVE_NODE;
            case 'u' -> Type.UPDATE_NODE;
            default -> throw new IllegalArgumentException("unknown input: " + token);
          };
      changes.add(new Single(type, Long.parseUnsignedLong(token.substring(1))));
    }
    return changes;
  }
}
