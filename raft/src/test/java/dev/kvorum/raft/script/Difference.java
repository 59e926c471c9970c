package dev.kvorum.raft.script;

/// Two texts side by side, for people: common lines plain, the others marked `-` (expected) and `+` (actual).
final class Difference {
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
    StringBuilder text = new StringBuilder();
    int i = 0;
    int j = 0;
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && a[i].equals(b[j])) {
        text.append("  ").append(a[i++]).append('\n');
        j++;
      } else if (i < a.length && (j == b.length || common[i + 1][j] >= common[i][j + 1])) {
        text.append("- ").append(a[i++]).append('\n');
      } else {
        text.append("+ ").append(b[j++]).append('\n');
      }
    }
    return text.toString();
  }
}
