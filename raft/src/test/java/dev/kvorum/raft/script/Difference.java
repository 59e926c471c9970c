package dev.kvorum.raft.script;

import java.util.ArrayList;
import java.util.List;

/// Two texts side by side, for people: common lines plain, the others marked `-` (expected) and `+` (actual). Of long
/// common stretches only the ends are shown.
final class Difference {
  private static final int CONTEXT = 4;

  private Difference() {}

  static String of(String expected, String actual) {
    String[] a = expected.split("\n");
    String[] b = actual.split("\n");
    int[][] common = new int[a.length + 1][b.length + 1];
    for (int i = a.length - 1; i >= 0; i--) {
      for (int j = b.length - 1; j >= 0; j--) {
        common[i][j] = a[i].equals(b[j]) ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
      }
    }
    List<String> text = new ArrayList<>();
    int i = 0;
    int j = 0;
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && a[i].equals(b[j])) {
        text.add("  " + a[i++]);
        j++;
      } else if (i < a.length && (j == b.length || common[i + 1][j] >= common[i][j + 1])) {
        text.add("- " + a[i++]);
      } else {
        text.add("+ " + b[j++]);
      }
    }
    return shortened(text);
  }

  private static String shortened(List<String> lines) {
    StringBuilder text = new StringBuilder();
    boolean skipping = false;
    for (int at = 0; at < lines.size(); at++) {
      List<String> around = lines.subList(Math.max(0, at - CONTEXT), Math.min(lines.size(), at + CONTEXT + 1));
      boolean shown = around.stream().anyMatch(line -> !line.startsWith("  "));
      if (shown) {
        text.append(lines.get(at)).append('\n');
      } else if (!skipping) {
        text.append("  …\n");
      }
      skipping = !shown;
    }
    return text.toString();
  }
}
