package dev.kvorum.bolt;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Invariant;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A map from byte strings to byte strings, ordered bytewise as unsigned, which may hold buckets among its values.
///
/// Of a [ReadTx] it may be read by many threads at once; of a [WriteTx] it belongs to the writer. It is valid while
/// its transaction is open. Keys have 1 to 32768 bytes. Misuse (an empty key, a change to a read transaction, a put
/// where a bucket is) is an [dev.kvorum.env.InvariantViolation].
public final class Bucket {
  /// bbolt's bound, which its readers rely on.
  public static final int KEY_BYTES_MAX = 32768;

  /// A leaf that outgrows this many pages is split before the commit does: insertions into it stay cheap.
  private static final int LEAF_PAGES_MAX = 16;

  private static final double FILL_PERCENT_DEFAULT = 0.5;

  final Tx tx;
  final Pages pages;

  /// Page id of the root of the tree as committed; 0 for one that is inline or was made in this transaction.
  final long rootId;

  /// Where an inline page lies in the map, for readers only.
  final long inlineAt;

  final long inlineEnd;

  /// The rest is of write transactions only.
  private final boolean writable;

  @Nullable Node rootNode;

  /// Whether the entry in the parent must be written anew.
  boolean changed;

  /// Counts changes, so that cursors notice.
  int changes;

  double fillPercent = FILL_PERCENT_DEFAULT;
  final TreeMap<Bytes, Bucket> children = new TreeMap<>();
  private long sequence;

  /// The last leaf of all, if it is a node: ascending puts go there without a search.
  private @Nullable LeafNode lastLeaf;

  private Bucket(Tx tx, Pages pages, long rootId, long sequence, long inlineAt, long inlineEnd) {
    this.tx = tx;
    this.pages = pages;
    this.rootId = rootId;
    this.sequence = sequence;
    this.inlineAt = inlineAt;
    this.inlineEnd = inlineEnd;
    this.writable = tx instanceof WriteTx;
  }

  /// The bucket of buckets.
  static Bucket root(Tx tx, Pages pages, Meta meta) {
    return new Bucket(tx, pages, meta.root(), meta.sequence(), 0, 0);
  }

  /// A copy of the value of `key`. @return null when absent, or when a bucket has that name
  public byte @Nullable [] get(byte[] key) throws CorruptionException {
    checkOpen();
    long id = rootId;
    Node node = rootNode;
    while (node instanceof BranchNode branch) {
      int i = branch.childIndex(key);
      id = branch.childId(i);
      node = branch.childNode(i);
    }
    if (node != null) {
      int i = node.search(key);
      return i < 0 || node.flags(i) != 0
          ? null
          : node.value(i, pages);
    }
    long element = findOnPages(id, key);
    if (element < 0 || pages.leafFlags(element) != 0) {
      return null;
    }
    return copyValue(element);
  }

  private byte[] copyValue(long element) {
    byte[] value = new byte[pages.leafValueLength(element)];
    MemorySegment.copy(pages.map, ValueLayout.JAVA_BYTE, valueAt(element), value, 0, value.length);
    return value;
  }

  private long valueAt(long element) {
    return element + (pages.map.get(Page.LONG, element) >>> 32) + pages.leafKeyLength(element);
  }

  /// The value of `key` in place: valid while the transaction is open and, in a [WriteTx], until the next change.
  ///
  /// @return null when absent, or when a bucket has that name
  public @Nullable MemorySegment getSegment(byte[] key) throws CorruptionException {
    checkOpen();
    long id = rootId;
    Node node = rootNode;
    while (node instanceof BranchNode branch) {
      int i = branch.childIndex(key);
      id = branch.childId(i);
      node = branch.childNode(i);
    }
    if (node != null) {
      int i = node.search(key);
      return i < 0 || node.flags(i) != 0
          ? null
          : node.valueSegment(i, pages);
    }
    long element = findOnPages(id, key);
    if (element < 0 || pages.leafFlags(element) != 0) {
      return null;
    }
    return pages.map.asSlice(valueAt(element), pages.leafValueLength(element));
  }

  /// Where the leaf element of `key` lies below page `id`, 0 meaning the inline page; -1 when there is none.
  private long findOnPages(long id, byte[] key) throws CorruptionException {
    long at = inlineAt;
    long end = inlineEnd;
    if (id != 0) {
      at = pages.at(id);
      end = pages.end(at);
      for (int depth = 0; pages.isBranch(at); depth++) {
        if (depth > Page.DEPTH_MAX) {
          throw pages.corrupt(at, "pages nest without end");
        }
        at = pages.at(pages.child(Pages.element(at, pages.searchBranch(at, end, key))));
        end = pages.end(at);
      }
    }
    int i = pages.searchLeaf(at, end, key);
    return i < 0 ? -1 : Pages.element(at, i);
  }

  /// Maps `key` to `value`, copying both.
  public void put(byte[] key, byte[] value) throws CorruptionException {
    checkWritable();
    Invariant.check(key.length > 0 && key.length <= KEY_BYTES_MAX, "a key of no or too many bytes");
    LeafNode last = lastLeaf;
    if (last != null && last.count > 0 && last.compareKey(last.count - 1, key) < 0) {
      last.append(key, value, 0);
      noteChange();
      if (isTooLarge(last)) {
        splitEarly(last, true);
      }
      return;
    }
    LeafNode leaf = leafFor(key);
    int found = leaf.search(key);
    Invariant.check(found < 0 || leaf.flags(found) == 0, "a value put where a bucket is");
    put(leaf, found, key, value, 0);
  }

  private void put(LeafNode leaf, int found, byte[] key, byte[] value, int flags) {
    boolean appended = -1 - found == leaf.count;
    leaf.put(found, key, value, flags);
    noteChange();
    if (isTooLarge(leaf)) {
      splitEarly(leaf, appended);
    }
  }

  private boolean isTooLarge(LeafNode leaf) {
    return leaf.size > (long) LEAF_PAGES_MAX * pages.pageSize && leaf.count > 8;
  }

  private void noteChange() {
    changes++;
    changed = true;
  }

  /// Splits a leaf in the middle; or, if it grows at its end, where the commit would, so that pages are filled.
  private void splitEarly(LeafNode leaf, boolean appended) {
    int from = appended ? lastPieceOf(leaf) : leaf.count / 2;
    if (from == 0) {
      return;
    }
    LeafNode right = leaf.splitOff(from);
    BranchNode parent = leaf.parent;
    if (parent == null) {
      parent = new BranchNode();
      parent.insert(0, leaf);
      rootNode = parent;
    }
    int i = parent.indexOf(leaf);
    if (i == 0) {
      parent.rekey(0, leaf);
    }
    parent.insert(i + 1, right);
    if (lastLeaf == leaf) {
      lastLeaf = right;
    }
  }

  private int lastPieceOf(LeafNode leaf) {
    int from = 0;
    long rest = leaf.size;
    while (true) {
      int end = leaf.pieceEnd(from, rest, pages.pageSize, fillPercent);
      if (end == leaf.count) {
        return from;
      }
      for (; from < end; from++) {
        rest -= leaf.elementBytes(from);
      }
    }
  }

  /// The root as a node.
  Node materialiseRoot() throws CorruptionException {
    Node node = rootNode;
    if (node == null) {
      node = BranchNode.nodeOf(pages, rootId);
      rootNode = node;
    }
    return node;
  }

  /// The leaf where `key` is or belongs, with all above it made nodes.
  private LeafNode leafFor(byte[] key) throws CorruptionException {
    Node node = materialiseRoot();
    boolean isLast = true;
    for (int depth = 0; node instanceof BranchNode branch; depth++) {
      if (depth > Page.DEPTH_MAX) {
        throw pages.corrupt(branch.pageId * pages.pageSize, "pages nest without end");
      }
      int i = branch.childIndex(key);
      isLast &= i == branch.count - 1;
      node = branch.child(i, pages);
    }
    LeafNode leaf = (LeafNode) node;
    if (isLast) {
      lastLeaf = leaf;
    }
    return leaf;
  }

  /// @return false when absent
  public boolean delete(byte[] key) throws CorruptionException {
    checkWritable();
    long id = rootId;
    Node node = rootNode;
    while (node instanceof BranchNode branch) {
      int i = branch.childIndex(key);
      id = branch.childId(i);
      node = branch.childNode(i);
    }
    if (node == null) {
      if (findOnPages(id, key) < 0) {
        return false; // and no node made of the page, which would be written though it did not change
      }
      node = leafFor(key);
    }
    LeafNode leaf = (LeafNode) node;
    int found = leaf.search(key);
    if (found < 0) {
      return false;
    }
    Invariant.check(leaf.flags(found) == 0, "a value deleted where a bucket is");
    leaf.remove(found);
    noteChange();
    return true;
  }

  /// A new cursor, standing nowhere.
  public Cursor cursor() {
    checkOpen();
    return new Cursor(this);
  }

  /// How full this transaction's commit leaves pages it splits, 0.1 to 1.0 (others are clamped). 0.5 unless set;
  /// ascending puts, which never come back to a page, want 0.9.
  public void fillPercent(double value) {
    checkWritable();
    fillPercent = Math.clamp(value, 0.1, 1.0);
  }

  /// The bucket of that name in this one. @return null if there is none
  public @Nullable Bucket bucket(byte[] name) throws CorruptionException {
    checkOpen();
    if (!writable) {
      long element = findOnPages(rootId, name);
      return element < 0 || pages.leafFlags(element) != Page.BUCKET ? null : readableChild(element);
    }
    Bytes key = Bytes.copyOf(name);
    Bucket child = children.get(key);
    if (child == null) {
      child = writableChild(name);
      if (child != null) {
        children.put(key, child);
      }
    }
    return child;
  }

  private Bucket readableChild(long element) throws CorruptionException {
    long valueAt = valueAt(element);
    long end = valueAt + pages.leafValueLength(element);
    if (end - valueAt < Page.BUCKET_BYTES) {
      throw pages.corrupt(valueAt, "bucket header of " + (end - valueAt) + " bytes");
    }
    long root = pages.map.get(Page.LONG, valueAt);
    long sequence = pages.map.get(Page.LONG, valueAt + 8);
    if (root != 0) {
      return new Bucket(tx, pages, root, sequence, 0, 0);
    }
    long at = valueAt + Page.BUCKET_BYTES;
    checkInline(pages, at, end);
    return new Bucket(tx, pages, 0, sequence, at, end);
  }

  /// Looks at the header of an inline page, as [Pages#at] does for others.
  static void checkInline(Pages pages, long at, long end) throws CorruptionException {
    long word = at + Page.HEADER_BYTES > end ? 0 : pages.map.get(Page.LONG, at + 8);
    if (Page.flags(word) != Page.LEAF || Pages.element(at, Page.count(word)) > end) {
      throw pages.corrupt(at, "inline page is no leaf");
    }
  }

  private @Nullable Bucket writableChild(byte[] name) throws CorruptionException {
    byte[] header = bucketEntry(name);
    if (header == null) {
      return null;
    }
    if (header.length < Page.BUCKET_BYTES) {
      throw pages.corrupt(0, "bucket header of " + header.length + " bytes");
    }
    ByteBuffer b = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    Bucket child = new Bucket(tx, pages, b.getLong(0), b.getLong(8), 0, 0);
    if (child.rootId == 0) {
      child.rootNode = LeafNode.ofInline(header);
      if (child.rootNode == null) {
        throw pages.corrupt(0, "inline page is no leaf");
      }
    }
    return child;
  }

  /// A copy of the value of `name` if that is a bucket.
  private byte @Nullable [] bucketEntry(byte[] name) throws CorruptionException {
    long id = rootId;
    Node node = rootNode;
    while (node instanceof BranchNode branch) {
      int i = branch.childIndex(name);
      id = branch.childId(i);
      node = branch.childNode(i);
    }
    if (node != null) {
      int i = node.search(name);
      return i < 0 || node.flags(i) != Page.BUCKET
          ? null
          : node.value(i, pages);
    }
    long element = findOnPages(id, name);
    return element < 0 || pages.leafFlags(element) != Page.BUCKET ? null : copyValue(element);
  }

  /// There must be nothing of that name yet.
  public Bucket createBucket(byte[] name) throws CorruptionException {
    checkWritable();
    Invariant.check(name.length > 0 && name.length <= KEY_BYTES_MAX, "a bucket name of no or too many bytes");
    Bucket child = new Bucket(tx, pages, 0, 0, 0, 0);
    child.rootNode = new LeafNode();
    child.changed = true;
    LeafNode leaf = leafFor(name);
    int found = leaf.search(name);
    Invariant.check(found < 0, "a bucket created where something is");
    put(leaf, found, name, inlineEntry(child), Page.BUCKET);
    children.put(Bytes.copyOf(name), child);
    return child;
  }

  /// @throws CorruptionException when a plain value has that name, which nobody would have given it
  public Bucket createBucketIfAbsent(byte[] name) throws CorruptionException {
    Bucket child = bucket(name);
    if (child != null) {
      return child;
    }
    if (get(name) != null) {
      throw pages.corrupt(0, "a value where the bucket " + Bytes.copyOf(name).toUtf8() + " belongs");
    }
    return createBucket(name);
  }

  /// Removes a bucket and all in it. @return false when there was none
  public boolean deleteBucket(byte[] name) throws CorruptionException {
    checkWritable();
    Bucket child = bucket(name);
    if (child == null) {
      return false;
    }
    WriteTx writer = (WriteTx) tx;
    child.freeCommittedPages(writer);
    children.remove(Bytes.copyOf(name));
    LeafNode leaf = leafFor(name);
    leaf.remove(leaf.search(name));
    noteChange();
    return true;
  }

  /// Frees the whole tree as committed: none of its pages has been freed before the commit begins. Nested buckets
  /// have an entry there if they have pages.
  private void freeCommittedPages(WriteTx writer) throws CorruptionException {
    if (rootId != 0) {
      new PageWalk(pages, writer::free).walk(rootId);
    }
  }

  /// A number kept with the bucket, for its user. 0 at first.
  public long sequence() {
    return sequence;
  }

  public void setSequence(long value) {
    checkWritable();
    sequence = value;
    changed = true;
  }

  /// At commit: gives bucket `name` a new entry.
  void putEntry(Bytes name, byte[] entry) throws CorruptionException {
    byte[] key = name.array();
    LeafNode leaf = leafFor(key);
    int found = leaf.search(key);
    Invariant.check(found >= 0 && leaf.flags(found) == Page.BUCKET, "an open bucket is not in its parent");
    leaf.put(found, key, entry, Page.BUCKET);
    changed = true;
  }

  /// The entry of a bucket whose root is page `root`.
  static byte[] entry(long root, long sequence) {
    byte[] entry = new byte[Page.BUCKET_BYTES];
    ByteBuffer.wrap(entry).order(ByteOrder.LITTLE_ENDIAN).putLong(0, root).putLong(8, sequence);
    return entry;
  }

  /// The entry of `bucket`, whose root is a leaf node, with its page inside.
  static byte[] inlineEntry(Bucket bucket) {
    Node node = bucket.rootNode;
    Invariant.check(node instanceof LeafNode, "only leaves are inline");
    byte[] entry = new byte[Page.BUCKET_BYTES + (int) node.size];
    ByteBuffer b = ByteBuffer.wrap(entry).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(8, bucket.sequence);
    b.putLong(Page.BUCKET_BYTES + 8, Page.headerWord(Page.LEAF, node.count, 0));
    int at = Page.BUCKET_BYTES + Page.HEADER_BYTES;
    PageWriter.putData(b, node, bucket.pages, 0, node.count, PageWriter.putLeafElements(b, node, 0, node.count, at));
    return entry;
  }

  void checkOpen() {
    if (writable) {
      ((WriteTx) tx).checkOpen();
    } else {
      ((ReadTx) tx).checkOpen();
    }
  }

  private void checkWritable() {
    Invariant.check(writable, "a change in a read transaction");
    ((WriteTx) tx).checkOpen();
  }
}
