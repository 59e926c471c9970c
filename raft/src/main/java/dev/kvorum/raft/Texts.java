package dev.kvorum.raft;

import java.nio.charset.StandardCharsets;
import java.util.List;

/// The fragments log lines are made of, as etcd raft writes them.
final class Texts {
  private Texts() {}

  static String hex(long id) {
    return Long.toHexString(id);
  }

  /// `[index: 4, term: 1]`
  static String position(long index, long term) {
    return "[index: " + index + ", term: " + term + "]";
  }

  /// `[logterm: 1, index: 4]`
  static String lastEntry(long term, long index) {
    return "[logterm: " + term + ", index: " + index + "]";
  }

  /// A conf change as its protobuf text: `transition:… changes:{type:… node_id:3} context:"…"`.
  static String describe(ConfChange.V2 change) {
    StringBuilder text = new StringBuilder("transition:ConfChangeTransition");
    text.append(
        switch (change.transition()) {
          case AUTO -> "Auto";
          case JOINT_IMPLICIT -> "JointImplicit";
          case JOINT_EXPLICIT -> "JointExplicit";
        });
    for (ConfChange.Single single : change.changes()) {
      text.append(" changes:{type:ConfChange");
      text.append(
          switch (single.type()) {
            case ADD_NODE -> "AddNode";
            case REMOVE_NODE -> "RemoveNode";
            case UPDATE_NODE -> "UpdateNode";
            case ADD_LEARNER_NODE -> "AddLearnerNode";
          });
      text.append(" node_id:").append(Long.toUnsignedString(single.nodeId())).append('}');
    }
    if (!change.context().isEmpty()) {
      text.append(" context:").append(quote(change.context().array()));
    }
    return text.toString();
  }

  /// A configuration as its protobuf text: `voters:1 voters:2 learners:3 auto_leave:false`.
  static String describe(ConfState state) {
    StringBuilder text = new StringBuilder();
    append(text, "voters:", state.voters());
    append(text, "learners:", state.learners());
    append(text, "voters_outgoing:", state.votersOutgoing());
    append(text, "learners_next:", state.learnersNext());
    return text.append("auto_leave:").append(state.autoLeave()).toString();
  }

  private static void append(StringBuilder text, String field, List<Long> ids) {
    for (long id : ids) {
      text.append(field).append(Long.toUnsignedString(id)).append(' ');
    }
  }

  /// A Go string literal (`%q`) of bytes, which are taken as UTF-8 where they are.
  static String quote(byte[] bytes) {
    StringBuilder text = new StringBuilder("\"");
    int at = 0;
    while (at < bytes.length) {
      int length = utf8Length(bytes, at);
      if (length == 0) {
        text.append(String.format("\\x%02x", bytes[at] & 0xFF));
        at++;
        continue;
      }
      int rune = new String(bytes, at, length, StandardCharsets.UTF_8).codePointAt(0);
      appendRune(text, rune);
      at += length;
    }
    return text.append('"').toString();
  }

  private static void appendRune(StringBuilder text, int rune) {
    switch (rune) {
      case '"' -> text.append("\\\"");
      case '\\' -> text.append("\\\\");
      case 7 -> text.append("\\a");
      case '\b' -> text.append("\\b");
      case '\f' -> text.append("\\f");
      case '\n' -> text.append("\\n");
      case '\r' -> text.append("\\r");
      case '\t' -> text.append("\\t");
      case 11 -> text.append("\\v");
      default -> {
        if (rune < ' ' || rune == 0x7F) {
          text.append(String.format("\\x%02x", rune));
        } else if (isPrintable(rune)) {
          text.appendCodePoint(rune);
        } else {
          text.append(rune < 0x10000 ? String.format("\\u%04x", rune) : String.format("\\U%08x", rune));
        }
      }
    }
  }

  private static boolean isPrintable(int rune) {
    return switch (Character.getType(rune)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR -> false;
      case Character.SPACE_SEPARATOR -> rune == ' ';
      default -> true;
    };
  }

  /// The length of the well-formed UTF-8 sequence at `at`, 0 when there is none.
  private static int utf8Length(byte[] bytes, int at) {
    int first = bytes[at] & 0xFF;
    int length = first < 0x80 ? 1 : first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : 4;
    if (first >= 0x80 && first < 0xC2 || first > 0xF4 || at + length > bytes.length) {
      return 0;
    }
    for (int i = 1; i < length; i++) {
      if ((bytes[at + i] & 0xC0) != 0x80) {
        return 0;
      }
    }
    int second = length > 1 ? bytes[at + 1] & 0xFF : 0;
    boolean overlong = first == 0xE0 && second < 0xA0 || first == 0xF0 && second < 0x90;
    boolean outside = first == 0xED && second >= 0xA0 || first == 0xF4 && second >= 0x90;
    return overlong || outside ? 0 : length;
  }
}
