package dev.kvorum.bolt;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Turns nodes into pages, gathers pages in a buffer, and writes neighbours together.
///
/// It writes whenever the buffer is full, long before the commit is complete. That is safe: these pages are free, and
/// only the meta page makes them part of anything.
final class PageWriter {
  private static final int BUFFER_BYTES = 1 << 20;

  /// Longer ones, made for a page that needs one, are not kept.
  private static final int KEPT_BUFFER_BYTES = 4 << 20;

  /// A write goes on to at most about so many. Linux caches what one call writes in blocks as large as it can, and
  /// then walks all of a block for each page of it written later: after writes of 1 MiB, commits of scattered pages
  /// took twice the processor time. Writes of one page each cost more in calls than they save.
  private static final int WRITE_BYTES = 32 << 10;

  private final Bolt bolt;
  private final int pageSize;
  private ByteBuffer buffer = ByteBuffer.allocateDirect(0);
  private int used;

  private long[] ids = new long[0];
  private int[] ats = new int[0];
  private int[] spans = new int[0];
  private int count;

  int nodesWritten;
  long pagesWritten;
  long bytesWritten;
  int writeCalls;

  PageWriter(Bolt bolt) {
    this.bolt = bolt;
    this.pageSize = bolt.pageSize();
  }

  void beginCommit() {
    used = 0;
    count = 0;
    nodesWritten = 0;
    pagesWritten = 0;
    bytesWritten = 0;
    writeCalls = 0;
  }

  /// Makes the elements of `node` from `from` to `to`, which may have values in `pages`, the page `id`, of `span`
  /// physical pages.
  void writeNode(Node node, Pages pages, int from, int to, long id, int span) throws IOException {
    int at = room(id, span);
    int flags = node instanceof LeafNode ? Page.LEAF : Page.BRANCH;
    buffer.putLong(at, id).putLong(at + 8, Page.headerWord(flags, to - from, span - 1));
    int end = node instanceof BranchNode branch
        ? putBranchElements(branch, from, to, at + Page.HEADER_BYTES, id)
        : putLeafElements(buffer, node, from, to, at + Page.HEADER_BYTES);
    end = putData(buffer, node, pages, from, to, end);
    zero(end, at + span * pageSize);
    nodesWritten++;
  }

  /// Room for a page, to be filled at once, zeros included. @return its index in [#buffer]
  int room(long id, int span) throws IOException {
    long bytes = (long) span * pageSize;
    if (used + bytes > buffer.capacity() || count == ids.length) {
      flush();
      fitBuffer(bytes);
    }
    int at = used;
    used += (int) bytes;
    ids[count] = id;
    ats[count] = at;
    spans[count++] = span;
    pagesWritten += span;
    return at;
  }

  ByteBuffer buffer() {
    return buffer;
  }

  private void fitBuffer(long bytes) throws IOException {
    long wanted = Math.max(bytes, BUFFER_BYTES);
    if (wanted > Integer.MAX_VALUE) {
      throw new IOException("a page of " + bytes + " bytes: elements above 2 GiB cannot be written");
    }
    if (buffer.capacity() < bytes || (buffer.capacity() > KEPT_BUFFER_BYTES && buffer.capacity() > wanted)) {
      buffer = ByteBuffer.allocateDirect((int) wanted).order(ByteOrder.LITTLE_ENDIAN);
    }
    int most = Math.max(1, BUFFER_BYTES / pageSize);
    if (ids.length < most) {
      ids = new long[most];
      ats = new int[most];
      spans = new int[most];
    }
  }

  private int putBranchElements(BranchNode node, int from, int to, int at, long id) {
    int dataAt = at + (to - from) * Page.ELEMENT_BYTES;
    for (int i = from; i < to; i++) {
      int keyLength = node.keyLength(i);
      buffer.putInt(at, dataAt - at).putInt(at + 4, keyLength).putLong(at + 8, node.childId(i));
      at += Page.ELEMENT_BYTES;
      dataAt += keyLength;
    }
    return at;
  }

  /// @return where the elements end and their bytes have to begin
  static int putLeafElements(ByteBuffer target, Node node, int from, int to, int at) {
    int dataAt = at + (to - from) * Page.ELEMENT_BYTES;
    for (int i = from; i < to; i++) {
      int keyLength = node.keyLength(i);
      int valueLength = node.valueLength(i);
      target.putInt(at, node.flags(i)).putInt(at + 4, dataAt - at);
      target.putInt(at + 8, keyLength).putInt(at + 12, valueLength);
      at += Page.ELEMENT_BYTES;
      dataAt += keyLength + valueLength;
    }
    return at;
  }

  /// Copies the elements' bytes, as many at a time as lie in a row.
  static int putData(ByteBuffer target, Node node, Pages pages, int from, int to, int at) {
    int i = from;
    while (i < to) {
      int start = node.keyAt(i);
      int end = start;
      while (i < to && node.keyAt(i) == end && !node.isMapped(i)) {
        end += node.keyLength(i) + node.valueLength(i);
        i++;
      }
      target.put(at, node.data, start, end - start);
      at += end - start;
      if (i < to && node.isMapped(i)) {
        target.put(at, node.data, node.keyAt(i), node.keyLength(i));
        at += node.keyLength(i);
        target.put(at, node.valueSegment(i, pages).asByteBuffer(), 0, node.valueLength(i));
        at += node.valueLength(i);
        i++;
      }
    }
    return at;
  }

  void zero(int from, int to) {
    int at = from;
    for (; at + 8 <= to; at += 8) {
      buffer.putLong(at, 0);
    }
    for (; at < to; at++) {
      buffer.put(at, (byte) 0);
    }
  }

  /// Writes what has gathered, in page order.
  void flush() throws IOException {
    sortById();
    int i = 0;
    while (i < count) {
      int first = i;
      long end = ids[i] + spans[i];
      for (i++; i < count && ids[i] == end; i++) {
        end += spans[i];
      }
      writeRun(first, i, end);
    }
    used = 0;
    count = 0;
  }

  /// Pages mostly come in order already.
  private void sortById() {
    for (int i = 1; i < count; i++) {
      long id = ids[i];
      int at = ats[i];
      int span = spans[i];
      int j = i - 1;
      for (; j >= 0 && ids[j] > id; j--) {
        ids[j + 1] = ids[j];
        ats[j + 1] = ats[j];
        spans[j + 1] = spans[j];
      }
      ids[j + 1] = id;
      ats[j + 1] = at;
      spans[j + 1] = span;
    }
  }

  /// Writes pages that follow each other in the file, though perhaps not in the buffer.
  private void writeRun(int first, int last, long endId) throws IOException {
    bolt.ensureFileBytes(endId * pageSize);
    long position = ids[first] * pageSize;
    int i = first;
    while (i < last) {
      int from = ats[i];
      int end = from;
      for (; i < last && ats[i] == end && end - from < WRITE_BYTES; i++) {
        end += spans[i] * pageSize;
      }
      bolt.file().write(buffer.slice(from, end - from), position);
      position += end - from;
      bytesWritten += end - from;
      writeCalls++;
    }
  }
}
