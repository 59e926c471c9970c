package dev.kvorum.bolt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.RealDisk;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Readers on other threads while the writer commits, remaps and uses pages again.
class ReaderStressTest {
  private static final byte[] NAME = {'b'};
  private static final int KEYS = 300;
  private static final int COMMITS = 1500;

  @TempDir Path directory;

  @Test
  void readersOnOtherThreadsAlwaysSeeOneWholeState() throws Exception {
    BoltOptions options = BoltOptions.defaults().withNoSync(true).withInitialMapBytes(0).withPageSize(1024);
    AtomicBoolean done = new AtomicBoolean();
    try (Bolt bolt = Bolt.open(new RealDisk(), directory.resolve("db"), options);
        ExecutorService threads = Executors.newFixedThreadPool(3)) {
      write(bolt, 0);
      List<Future<Long>> readers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        readers.add(threads.submit(() -> readUntil(done, bolt)));
      }
      try {
        for (int round = 1; round <= COMMITS; round++) {
          write(bolt, round);
        }
      } finally {
        done.set(true);
      }
      for (Future<Long> reader : readers) {
        assertThat(reader.get()).isPositive();
      }
      assertThat(bolt.openReaders()).isZero();
      BoltAudit.check(bolt);
    }
  }

  private static void write(Bolt bolt, int round) throws Exception {
    try (WriteTx tx = bolt.beginWrite()) {
      Bucket bucket = tx.createBucketIfAbsent(NAME);
      byte[] value = new byte[40 + round % 50];
      ByteBuffer.wrap(value).putInt(round);
      for (int i = 0; i < KEYS; i++) {
        bucket.put(ByteBuffer.allocate(4).putInt(i).array(), value);
      }
      if (round % 50 == 0) {
        bucket.put(new byte[] {9}, new byte[round * 100]);
      }
      tx.commit();
    }
  }

  private static long readUntil(AtomicBoolean done, Bolt bolt) throws Exception {
    long states = 0;
    long last = 0;
    do {
      try (ReadTx tx = bolt.beginRead()) {
        assertThat(tx.id()).isGreaterThanOrEqualTo(last);
        last = tx.id();
        Cursor cursor = tx.bucket(NAME).cursor();
        int round = -1;
        for (int i = 0; i < KEYS; i++) {
          assertThat(cursor.next()).isTrue();
          int value = ByteBuffer.wrap(cursor.value()).getInt();
          assertThat(round == -1 || value == round).isTrue();
          round = value;
        }
        states++;
      }
    } while (!done.get());
    return states;
  }
}
