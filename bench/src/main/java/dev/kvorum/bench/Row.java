package dev.kvorum.bench;

import java.util.ArrayList;
import java.util.List;

/// One line of the table: what the clients do, and how many of them.
///
/// `conns` connections with `inflight` requests in flight on each. `isFresh` rows measure a server restarted after its
/// keys were written, the others one that has just taken a burst of puts: etcd reads at a different price in either.
record Row(Kind kind, int conns, int inflight, boolean isSerializable, boolean isFresh) {
  enum Kind {
    PUT("put"),
    TXN("txn"),
    RANGE("range"),
    RANGE_MANY("range-many"),
    WATCH("watch"),
    LEASE_KEEPALIVE("lease-keepalive"),
    MIXED("mixed");

    private final String word;

    Kind(String word) {
      this.word = word;
    }

    /// As on the command line.
    String word() {
      return word;
    }

    boolean readsKeys() {
      return this == RANGE || this == RANGE_MANY || this == MIXED || this == TXN;
    }
  }

  String name() {
    StringBuilder name = new StringBuilder(kind.word()).append(' ').append(conns).append('x').append(inflight);
    if (kind == Kind.RANGE || kind == Kind.RANGE_MANY) {
      name.append(isSerializable ? " serializable" : " linearizable").append(isFresh ? ", fresh" : ", after puts");
    }
    return name.toString();
  }

  /// The rows a command asks for: `all`, or the word of a kind, whose shapes are the usual ones unless given.
  static List<Row> of(Options options) {
    List<Row> rows = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      if (options.command().equals("all") || options.command().equals(kind.word())) {
        addRows(rows, kind, options);
      }
    }
    return rows;
  }

  private static void addRows(List<Row> rows, Kind kind, Options options) {
    int[][] shapes =
        switch (kind) {
          case PUT -> new int[][] {{1, 1}, {100, 10}};
          case TXN, RANGE, MIXED -> new int[][] {{100, 10}};
          case RANGE_MANY -> new int[][] {{1, 1}, {10, 10}};
          case WATCH, LEASE_KEEPALIVE -> new int[][] {{100, 1}};
        };
    if (options.conns() > 0) {
      shapes = new int[][] {{options.conns(), options.inflight()}};
    }
    for (int[] shape : shapes) {
      switch (kind) {
        case RANGE -> {
          addStates(rows, kind, shape, false);
          addStates(rows, kind, shape, true);
        }
        case RANGE_MANY -> rows.add(new Row(kind, shape[0], shape[1], false, true));
        default -> rows.add(new Row(kind, shape[0], shape[1], false, false));
      }
    }
  }

  private static void addStates(List<Row> rows, Kind kind, int[] shape, boolean serializable) {
    rows.add(new Row(kind, shape[0], shape[1], serializable, true));
    rows.add(new Row(kind, shape[0], shape[1], serializable, false));
  }
}
