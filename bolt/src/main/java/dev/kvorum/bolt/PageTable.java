package dev.kvorum.bolt;

import dev.kvorum.env.CorruptionException;
import java.util.ArrayList;
import java.util.List;

/// What each page of a state is used for, for people to look at.
///
/// Source: bbolt's command `pages`.
public final class PageTable {
  /// @param type `meta`, `leaf`, `branch`, `freelist` or `free`
  /// @param items elements, or free pages listed; 0 for metas and free pages
  /// @param overflow further physical pages it spans
  public record Row(long id, String type, long items, long overflow) {}

  private PageTable() {}

  /// Rows in page order; pages that another spans have none.
  ///
  /// @throws CorruptionException when the pages in use cannot all be reached: which are free is then unknown
  public static List<Row> of(ReadTx tx) throws CorruptionException {
    tx.checkOpen();
    Pages pages = tx.pages();
    Meta meta = tx.meta();
    PageSet used = PageWalk.reachable(pages, meta.root());
    List<Row> rows = new ArrayList<>();
    for (long id = 0; id < meta.pageCount(); ) {
      Row row = rowOf(pages, meta, used, id);
      rows.add(row);
      id += 1 + row.overflow();
    }
    return rows;
  }

  private static Row rowOf(Pages pages, Meta meta, PageSet used, long id) throws CorruptionException {
    if (id < 2) {
      return new Row(id, "meta", 0, 0);
    }
    if (meta.hasFreelist() && id == meta.freelist()) {
      long[] listed = new long[1];
      int span = FreelistPage.read(pages, id, free -> listed[0]++);
      return new Row(id, "freelist", listed[0], span - 1);
    }
    if (!used.contains(id)) {
      return new Row(id, "free", 0, 0);
    }
    long at = pages.at(id);
    return new Row(id, pages.isBranch(at) ? "branch" : "leaf", pages.count(at), pages.span(at) - 1);
  }
}
