package dev.kvorum.env.sim;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A disk as it was, all that was done to it since, and a replay that stands somewhere in between.
///
/// Asking in ascending order costs each step once; going back starts anew.
final class Recording {
  private final long firstOperation;
  private final TreeCopy base;
  private final List<Step> steps = new ArrayList<>();
  private @Nullable TreeCopy replay;
  private long replayed;

  Recording(DirectoryNode root, long firstOperation) {
    base = TreeCopy.of(root);
    this.firstOperation = firstOperation;
  }

  void add(Step step) {
    steps.add(step);
  }

  Step step(long operation) {
    return steps.get((int) (operation - firstOperation));
  }

  /// The disk's root as it was before operation number `operation`; not to be changed.
  DirectoryNode at(long operation) {
    long wanted = operation - firstOperation;
    if (wanted < 0 || wanted > steps.size()) {
      throw new IllegalArgumentException("operation " + operation + " is not among the recorded "
          + firstOperation + " to " + (firstOperation + steps.size()));
    }
    TreeCopy at = replay;
    if (at == null || wanted < replayed) {
      at = TreeCopy.of(base.root());
      replay = at;
      replayed = 0;
    }
    while (replayed < wanted) {
      steps.get((int) replayed).apply(firstOperation + replayed, at.nodes());
      replayed++;
    }
    return at.root();
  }
}
