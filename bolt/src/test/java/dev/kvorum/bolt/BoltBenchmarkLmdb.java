package dev.kvorum.bolt;

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.lmdbjava.Cursor;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.GetOp;
import org.lmdbjava.PutFlags;
import org.lmdbjava.SeekOp;
import org.lmdbjava.Txn;

/// LMDB through lmdbjava: the C library, plus what it costs a Java program to call it.
final class BoltBenchmarkLmdb implements BoltBenchmarkStore {
  private final ByteBuffer key = ByteBuffer.allocateDirect(64);
  private final ByteBuffer val = ByteBuffer.allocateDirect(256);
  private Env<ByteBuffer> env;
  private Dbi<ByteBuffer> dbi;
  private long sum;

  @Override
  public String name() {
    return "LMDB";
  }

  @Override
  public void open(Path file, boolean listed) {
    File opened = file.toFile();
    env = Env.create().setMapSize(10L << 30).setMaxDbs(1).open(opened, EnvFlags.MDB_NOSUBDIR);
    dbi = env.openDbi("key", DbiFlags.MDB_CREATE);
  }

  @Override
  public void close() {
    dbi.close();
    env.close();
  }

  private ByteBuffer toKey(byte[] bytes) {
    return key.clear().put(bytes).flip();
  }

  @Override
  public void put(BoltBenchmarkKeys.Source keys, int from, int to, byte[] value, boolean ascending) {
    try (Txn<ByteBuffer> txn = env.txnWrite()) {
      try (Cursor<ByteBuffer> cursor = dbi.openCursor(txn)) {
        for (int n = from; n < to; n++) {
          val.clear().put(value).flip();
          if (ascending) {
            cursor.put(toKey(keys.key(n)), val, PutFlags.MDB_APPEND);
          } else {
            cursor.put(toKey(keys.key(n)), val);
          }
        }
      }
      txn.commit();
    }
  }

  @Override
  public void delete(BoltBenchmarkKeys.Source keys, int from, int to) {
    try (Txn<ByteBuffer> txn = env.txnWrite()) {
      for (int n = from; n < to; n++) {
        dbi.delete(txn, toKey(keys.key(n)));
      }
      txn.commit();
    }
  }

  @Override
  public long get(BoltBenchmarkKeys.Source keys, int count, int gets) {
    BoltBenchmarkKeys.Draws draws = new BoltBenchmarkKeys.Draws(1);
    long bytes = 0;
    try (Txn<ByteBuffer> txn = env.txnRead()) {
      for (int i = 0; i < gets; i++) {
        ByteBuffer found = dbi.get(txn, toKey(keys.key(draws.below(count))));
        byte[] value = new byte[found.remaining()];
        found.get(value);
        bytes += value.length;
      }
    }
    return bytes;
  }

  @Override
  public long scan(BoltBenchmarkKeys.Source keys, int count, int scans) {
    BoltBenchmarkKeys.Draws draws = new BoltBenchmarkKeys.Draws(2);
    sum = 0;
    try (Txn<ByteBuffer> txn = env.txnRead();
        Cursor<ByteBuffer> cursor = dbi.openCursor(txn)) {
      for (int i = 0; i < scans; i++) {
        boolean on = cursor.get(toKey(keys.key(draws.below(count))), GetOp.MDB_SET_RANGE);
        for (int n = 0; on && n < 1000; n++) {
          look(cursor);
          on = cursor.seek(SeekOp.MDB_NEXT);
        }
      }
    }
    return sum;
  }

  @Override
  public int scanAll() {
    int seen = 0;
    try (Txn<ByteBuffer> txn = env.txnRead();
        Cursor<ByteBuffer> cursor = dbi.openCursor(txn)) {
      for (boolean on = cursor.seek(SeekOp.MDB_FIRST); on; on = cursor.seek(SeekOp.MDB_NEXT)) {
        look(cursor);
        seen++;
      }
    }
    return seen;
  }

  private void look(Cursor<ByteBuffer> cursor) {
    ByteBuffer k = cursor.key();
    ByteBuffer v = cursor.val();
    sum += k.get(k.limit() - 1) + v.get(v.limit() - 1);
  }
}
