package dev.kvorum.bolt;

import dev.kvorum.env.Bytes;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// What a bucket holds, as sorted maps: the model that databases are compared with. Of a whole database: its bucket of
/// buckets.
final class Contents {
  final TreeMap<Bytes, Bytes> values;
  final TreeMap<Bytes, Contents> nested;
  long sequence;

  Contents() {
    this(new TreeMap<>(), new TreeMap<>(), 0);
  }

  private Contents(TreeMap<Bytes, Bytes> values, TreeMap<Bytes, Contents> nested, long sequence) {
    this.values = values;
    this.nested = nested;
    this.sequence = sequence;
  }

  Contents copy() {
    Contents copy = new Contents(new TreeMap<>(values), new TreeMap<>(), sequence);
    nested.forEach((name, inner) -> copy.nested.put(name, inner.copy()));
    return copy;
  }

  /// Reads all of `bucket`.
  static Contents of(Bucket bucket) throws Exception {
    Contents contents = new Contents();
    contents.sequence = bucket.sequence();
    Cursor cursor = bucket.cursor();
    while (cursor.next()) {
      byte[] key = cursor.key();
      if (cursor.isBucket()) {
        contents.nested.put(Bytes.wrap(key), of(bucket.bucket(key)));
      } else {
        contents.values.put(Bytes.wrap(key), Bytes.wrap(cursor.value()));
      }
    }
    return contents;
  }

  /// Keys and buckets in all.
  int size() {
    int size = values.size() + nested.size();
    for (Contents inner : nested.values()) {
      size += inner.size();
    }
    return size;
  }

  /// Where this and `other` first differ, in words; empty if they do not.
  String differenceFrom(Contents other) {
    if (sequence != other.sequence) {
      return "sequence " + sequence + " and " + other.sequence;
    }
    for (Map.Entry<Bytes, Bytes> entry : values.entrySet()) {
      Bytes theirs = other.values.get(entry.getKey());
      if (!entry.getValue().equals(theirs)) {
        return "value of " + entry.getKey() + ", " + entry.getValue().size() + " bytes and "
            + (theirs == null ? "none" : theirs.size() + " others");
      }
    }
    if (!values.keySet().equals(other.values.keySet()) || !nested.keySet().equals(other.nested.keySet())) {
      return size() + " and " + other.size() + " keys and buckets";
    }
    for (Map.Entry<Bytes, Contents> entry : nested.entrySet()) {
      String difference = entry.getValue().differenceFrom(other.nested.get(entry.getKey()));
      if (!difference.isEmpty()) {
        return "in bucket " + entry.getKey() + ": " + difference;
      }
    }
    return "";
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Contents that
        && sequence == that.sequence
        && values.equals(that.values)
        && nested.equals(that.nested);
  }

  @Override
  public int hashCode() {
    return Objects.hash(values, nested, sequence);
  }

  @Override
  public String toString() {
    return size() + " keys and buckets";
  }
}
