package dev.kvorum.state.keys;

/// The name of one change: `main` counts write transactions, `sub` numbers the changes inside one from 0.
///
/// The store starts at main 1, so the first change any user makes is (2, 0). Hot paths pass the two numbers apart.
///
/// @param main at least 0
/// @param sub at least 0
public record Revision(long main, int sub) implements Comparable<Revision> {
  @Override
  public int compareTo(Revision other) {
    return compare(main, sub, other.main, other.sub);
  }

  static int compare(long main, int sub, long otherMain, int otherSub) {
    int byMain = Long.compare(main, otherMain);
    return byMain != 0 ? byMain : Integer.compare(sub, otherSub);
  }

  @Override
  public String toString() {
    return main + "." + sub;
  }
}
