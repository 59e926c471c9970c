package dev.kvorum.bolt.tool;

import dev.kvorum.bolt.Bolt;
import dev.kvorum.bolt.Bucket;
import dev.kvorum.bolt.Cursor;
import dev.kvorum.bolt.ReadTx;
import dev.kvorum.bolt.WriteTx;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/// A database as text, one line each, bytes in hexadecimal: what `export` prints and `edit` obeys.
///
/// ```text
/// bucket 6b6579 0              a bucket, and its sequence; a nested one is named outer/inner
/// put 6b6579 0a0b 763101       a key and its value in it; - for an empty value
/// delete 6b6579 0a0b           edit only
/// drop 6b6579                  edit only: removes a bucket and all in it
/// commit                       edit only, as at the end
/// rollback                     edit only: forgets what was done since the last commit
/// ```
final class Script {
  private static final HexFormat HEX = HexFormat.of();

  private Script() {}

  static void export(ReadTx tx, PrintStream out) throws IOException {
    Cursor cursor = tx.cursor();
    while (cursor.next()) {
      exportNested(tx.root(), cursor.key(), "", out);
    }
  }

  private static void exportNested(Bucket outer, byte[] name, String above, PrintStream out) throws IOException {
    Bucket bucket = outer.bucket(name);
    if (bucket == null) {
      throw new IOException("a value among the buckets, under " + HEX.formatHex(name));
    }
    String path = above + HEX.formatHex(name);
    out.println("bucket " + path + " " + Long.toUnsignedString(bucket.sequence()));
    Cursor cursor = bucket.cursor();
    while (cursor.next()) {
      if (cursor.isBucket()) {
        exportNested(bucket, cursor.key(), path + "/", out);
      } else {
        byte[] value = cursor.value();
        out.println("put " + path + " " + HEX.formatHex(cursor.key()) + " "
            + (value.length == 0 ? "-" : HEX.formatHex(value)));
      }
    }
  }

  /// Obeys all lines. @return how many transactions were committed
  static int edit(Bolt bolt, BufferedReader lines) throws IOException {
    int commits = 0;
    WriteTx tx = bolt.beginWrite();
    try {
      int number = 0;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        String[] words = line.strip().split("\\s+");
        if (words[0].equals("commit")) {
          tx.commit();
          commits++;
          tx = bolt.beginWrite();
        } else if (words[0].equals("rollback")) {
          tx.rollback();
          tx = bolt.beginWrite();
        } else if (!words[0].isEmpty()) {
          obey(tx, words, number);
        }
      }
      tx.commit();
      return commits + 1;
    } finally {
      tx.close();
    }
  }

  private static void obey(WriteTx tx, String[] words, int number) throws IOException {
    try {
      switch (words[0] + " " + words.length) {
        case "bucket 2", "bucket 3" -> {
          Bucket bucket = bucket(tx, words[1], true);
          if (words.length == 3) {
            bucket.setSequence(Long.parseUnsignedLong(words[2]));
          }
        }
        case "put 4" ->
            bucket(tx, words[1], false)
                .put(HEX.parseHex(words[2]), words[3].equals("-") ? new byte[0] : HEX.parseHex(words[3]));
        case "delete 3" -> bucket(tx, words[1], false).delete(HEX.parseHex(words[2]));
        case "drop 2" -> drop(tx, words[1]);
        default -> throw new IOException("line " + number + ": unknown: " + String.join(" ", words));
      }
    } catch (IllegalArgumentException e) {
      throw new IOException("line " + number + ": " + e.getMessage(), e);
    }
  }

  private static Bucket bucket(WriteTx tx, String path, boolean create) throws IOException {
    @Nullable Bucket at = tx.root();
    for (String name : path.split("/")) {
      byte[] key = HEX.parseHex(name);
      at = create ? at.createBucketIfAbsent(key) : at.bucket(key);
      if (at == null) {
        throw new IOException("no bucket " + path);
      }
    }
    return at;
  }

  private static void drop(WriteTx tx, String path) throws IOException {
    int last = path.lastIndexOf('/');
    Bucket outer = last < 0 ? tx.root() : bucket(tx, path.substring(0, last), false);
    if (!outer.deleteBucket(HEX.parseHex(path.substring(last + 1)))) {
      throw new IOException("no bucket " + path);
    }
  }
}
