package dev.kvorum.bolt;

import java.util.Arrays;

/// Where in a [PageSet] there are so many members in a row, found without walking the set.
///
/// A tree over the set's words, 64 children to a node. A node knows three numbers of its part: how many members it
/// begins with, how many it ends with, and the longest run within. A search steps over whole nodes and goes down only
/// where the run lies. Ten million pages are 2,442 leaves under 39 nodes under one.
///
/// A change to the set only marks the nodes above the page; a search works marked nodes out again when it meets them.
/// So changes cost next to nothing when nobody asks for runs, and a search costs the path it takes and what has
/// changed along it, not the size of the set.
final class RunIndex {
  private static final int FANOUT_BITS = 6;
  private static final int FANOUT = 1 << FANOUT_BITS;

  /// Pages below a leaf: 64 words of 64.
  private static final int LEAF_BITS = 12;

  /// One layer of the tree. `stale` has a bit per node.
  private static final class Layer {
    long[] stale = new long[1];
    long[] prefix = new long[FANOUT];
    long[] suffix = new long[FANOUT];
    long[] longest = new long[FANOUT];

    Layer() {
      stale[0] = -1L;
    }

    boolean isStale(int node) {
      return (stale[node >>> 6] & 1L << node) != 0;
    }

    void fit(int nodes) {
      int old = prefix.length;
      if (nodes > old) {
        int length = Math.max(nodes + FANOUT - 1 & -FANOUT, old * 2);
        prefix = Arrays.copyOf(prefix, length);
        suffix = Arrays.copyOf(suffix, length);
        longest = Arrays.copyOf(longest, length);
        stale = Arrays.copyOf(stale, length >>> 6);
        Arrays.fill(stale, old >>> 6, stale.length, -1L);
      }
    }
  }

  private final PageSet pages;
  private Layer[] layers = {new Layer()};
  private long nodesVisited;

  RunIndex(PageSet pages) {
    this.pages = pages;
  }

  /// Nodes and words looked at by all searches so far: the work they took.
  long nodesVisited() {
    return nodesVisited;
  }

  /// Page `id` has come to be a member, or to be none.
  void changed(long id) {
    long node = id >>> LEAF_BITS;
    if (node >= layers[0].prefix.length) {
      grow((int) node);
    }
    for (Layer layer : layers) {
      long bit = 1L << node;
      int word = (int) (node >>> 6);
      if ((layer.stale[word] & bit) != 0) {
        return; // so are all above
      }
      layer.stale[word] |= bit;
      node >>>= FANOUT_BITS;
    }
  }

  private void grow(int leaf) {
    int nodes = leaf + 1;
    layers[0].fit(nodes);
    for (int i = 1; layers[i - 1].prefix.length > FANOUT; i++) {
      if (i == layers.length) {
        layers = Arrays.copyOf(layers, i + 1);
        layers[i] = new Layer();
      }
      layers[i].fit(layers[i - 1].prefix.length >>> FANOUT_BITS);
      // what an existing node stands for may have grown
      Arrays.fill(layers[i].stale, -1L);
    }
  }

  /// The least page that begins a run of at least `n`, or -1.
  long find(long n) {
    int top = layers.length - 1;
    return search(top, 0, layers[top].prefix.length, n, 0);
  }

  /// Searches the nodes `from` to `to` of a layer, before which `before` members lie in a row.
  private long search(int level, int from, int to, long n, long before) {
    Layer layer = layers[level];
    long run = before;
    long part = 1L << LEAF_BITS + level * FANOUT_BITS;
    for (int node = from; node < Math.min(to, layer.prefix.length); node++) {
      nodesVisited++;
      if (level > 0 && layer.isStale(node)) {
        // most of it may not matter: a run may lie near its beginning
        long found = search(level - 1, node << FANOUT_BITS, node + 1 << FANOUT_BITS, n, run);
        if (found >= 0) {
          return found;
        }
      }
      refresh(level, node);
      if (run + layer.prefix[node] >= n) {
        return node * part - run;
      }
      if (layer.longest[node] >= n) {
        return level == 0
            ? searchLeaf(node, n)
            : search(level - 1, node << FANOUT_BITS, node + 1 << FANOUT_BITS, n, 0);
      }
      run = layer.suffix[node] == part ? run + part : layer.suffix[node];
    }
    return -1;
  }

  private long searchLeaf(int leaf, long n) {
    long first = (long) leaf << LEAF_BITS;
    long id = pages.next(first);
    while (true) {
      nodesVisited++;
      long run = pages.runFrom(id, n);
      if (run >= n) {
        return id;
      }
      id = pages.next(id + run);
    }
  }

  private void refresh(int level, int node) {
    Layer layer = layers[level];
    if (!layer.isStale(node)) {
      return;
    }
    if (level == 0) {
      refreshLeaf(layer, node);
    } else {
      refreshNode(layer, level, node);
    }
    layer.stale[node >>> 6] &= ~(1L << node);
  }

  private void refreshNode(Layer layer, int level, int node) {
    Layer below = layers[level - 1];
    long part = 1L << LEAF_BITS + (level - 1) * FANOUT_BITS;
    long prefix = 0;
    long run = 0;
    long longest = 0;
    boolean whole = true;
    int first = node << FANOUT_BITS;
    for (int child = first; child < first + FANOUT; child++) {
      if (child >= below.prefix.length) {
        whole = false;
        run = 0;
        break;
      }
      refresh(level - 1, child);
      nodesVisited++;
      longest = Math.max(longest, Math.max(below.longest[child], run + below.prefix[child]));
      if (whole) {
        prefix = run + below.prefix[child];
      }
      whole &= below.suffix[child] == part;
      run = below.suffix[child] == part ? run + part : below.suffix[child];
    }
    layer.prefix[node] = prefix;
    layer.suffix[node] = run;
    layer.longest[node] = longest;
  }

  private void refreshLeaf(Layer layer, int leaf) {
    long prefix = 0;
    long run = 0;
    long longest = 0;
    boolean whole = true;
    int first = leaf << FANOUT_BITS;
    for (int w = first; w < first + FANOUT; w++) {
      long word = pages.word(w);
      nodesVisited++;
      if (word == -1L) {
        run += 64;
        prefix = whole ? run : prefix;
        longest = Math.max(longest, run);
        continue;
      }
      int low = Long.numberOfTrailingZeros(~word);
      prefix = whole ? run + low : prefix;
      whole = false;
      longest = Math.max(longest, Math.max(run + low, longestIn(word)));
      run = Long.numberOfLeadingZeros(~word);
    }
    layer.prefix[leaf] = prefix;
    layer.suffix[leaf] = run;
    layer.longest[leaf] = longest;
  }

  /// The longest run of ones within `word`: how often it can be thinned before none is left.
  private static int longestIn(long word) {
    int n = 0;
    for (; word != 0; n++) {
      word &= word << 1;
    }
    return n;
  }
}
