package dev.kvorum.state.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.bolt.Bolt;
import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.bolt.Bucket;
import dev.kvorum.bolt.FileLockedException;
import dev.kvorum.bolt.ReadTx;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.env.RealDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BackendTest {
  private static final BoltOptions UNSYNCED = BoltOptions.defaults().withNoSync(true).withInitialMapBytes(1 << 20);

  @TempDir Path directory;

  private Path file;
  private Backend backend;

  @BeforeEach
  void open() throws IOException {
    file = directory.resolve("db");
    backend = Backend.open(new RealDisk(), file, UNSYNCED);
  }

  @AfterEach
  void close() throws IOException {
    backend.close();
  }

  private void reopen() throws IOException {
    backend.close();
    backend = Backend.open(new RealDisk(), file, UNSYNCED);
  }

  private void commit() throws IOException {
    backend.committed(backend.write(backend.take()));
  }

  private static Bytes utf8(String text) {
    return Bytes.utf8(text);
  }

  private static byte[] record(String text) {
    return utf8(text).array();
  }

  private List<String> pairs(BucketName bucket) throws IOException {
    List<String> pairs = new ArrayList<>();
    backend.forEach(bucket, (key, value) -> pairs.add(key.toUtf8() + "=" + value.toUtf8()));
    return pairs;
  }

  @Test
  void aFreshFileHasEveryBucketInTheOrderOfNames() throws IOException {
    List<String> names = new ArrayList<>();
    var cursor = backend.read().tx().cursor();
    for (boolean more = cursor.first(); more; more = cursor.next()) {
      names.add(Bytes.wrap(cursor.key()).toUtf8());
    }
    assertThat(names)
        .containsExactly(
            "alarm", "auth", "authRoles", "authUsers", "cluster", "key", "lease", "members", "members_removed",
            "meta");
    assertThat(backend.committedIndex()).isZero();
  }

  @Test
  void writesOfOneBatchTakeEffectInTheirOrder() throws IOException {
    WriteBatch batch = backend.batch();
    batch.put(BucketName.ALARM, utf8("a"), utf8("1"));
    batch.put(BucketName.ALARM, utf8("b"), utf8("1"));
    batch.delete(BucketName.ALARM, utf8("a"));
    batch.delete(BucketName.ALARM, utf8("absent"));
    batch.put(BucketName.ALARM, utf8("b"), utf8("2"));
    batch.delete(BucketName.ALARM, utf8("c"));
    batch.put(BucketName.ALARM, utf8("c"), Bytes.EMPTY);
    assertThat(batch.opCount()).isEqualTo(7);
    commit();
    assertThat(pairs(BucketName.ALARM)).containsExactly("b=2", "c=");
  }

  @Test
  void theIndexTravelsWithWhatItCovers() throws IOException {
    backend.batch().applied(41, 3);
    backend.batch().put(BucketName.CLUSTER, utf8("clusterVersion"), utf8("3.7.0"));
    backend.batch().applied(42, 4);
    backend.batch().confState(utf8("{\"voters\":[1],\"auto_leave\":false}"));
    WriteBatch first = backend.take();
    backend.batch().applied(43, 4);
    backend.batch().put(BucketName.CLUSTER, utf8("clusterVersion"), utf8("lost"));
    backend.committed(backend.write(first));
    reopen();
    assertThat(backend.get(BucketName.META, MetaKey.CONSISTENT_INDEX))
        .isEqualTo(HexFormat.of().parseHex("000000000000002a"));
    assertThat(backend.get(BucketName.META, MetaKey.TERM)).isEqualTo(HexFormat.of().parseHex("0000000000000004"));
    assertThat(backend.get(BucketName.META, MetaKey.CONF_STATE)).isNotNull();
    assertThat(pairs(BucketName.CLUSTER)).containsExactly("clusterVersion=3.7.0");
    assertThat(backend.batch().consistentIndex()).isEqualTo(42);
  }

  @Test
  void anIndexOfZeroIsNotWritten() throws IOException {
    backend.batch().put(BucketName.CLUSTER, utf8("a"), utf8("b"));
    commit();
    assertThat(pairs(BucketName.META)).isEmpty();
  }

  @Test
  void theIndexNeverFalls() {
    backend.batch().applied(5, 1);
    assertThatThrownBy(() -> backend.batch().applied(4, 1)).isInstanceOf(InvariantViolation.class);
    WriteBatch taken = backend.take();
    assertThatThrownBy(() -> taken.applied(6, 1)).isInstanceOf(InvariantViolation.class);
    assertThatThrownBy(() -> backend.batch().applied(4, 1)).isInstanceOf(InvariantViolation.class);
    backend.batch().applied(5, 1);
  }

  @Test
  void theKeyBucketIsClosedToOthers() {
    assertThatThrownBy(() -> backend.batch().put(BucketName.KEY, utf8("a"), utf8("b")))
        .isInstanceOf(InvariantViolation.class);
  }

  @Test
  void whatIsUnderwayStaysReadableUntilItIsInstalled() throws IOException {
    backend.batch().putKey(2, 0, false, record("one"));
    WriteBatch first = backend.take();
    backend.batch().putKey(3, 0, true, record("two"));
    assertThat(backend.pending()).hasSize(2);
    assertThat(backend.pendingBytes()).isPositive();
    BackendCommit commit = backend.write(first);
    assertThat(backend.pending()[0].find(2, 0)).isEqualTo(record("one"));
    backend.committed(commit);
    assertThat(backend.pending()).hasSize(1);
    assertThat(backend.read().keys().get(RevisionKey.encode(2, 0))).isEqualTo(record("one"));
    commit();
    assertThat(backend.read().keys().get(RevisionKey.encode(3, 0, true))).isEqualTo(record("two"));
    assertThat(backend.pending()).isEmpty();
    assertThat(backend.underwayCount()).isZero();
  }

  @Test
  void commitsAreInstalledInTheOrderTaken() throws IOException {
    WriteBatch first = backend.take();
    WriteBatch second = backend.take();
    BackendCommit one = backend.write(first);
    BackendCommit two = backend.write(second);
    assertThatThrownBy(() -> backend.committed(two)).isInstanceOf(InvariantViolation.class);
    one.discard();
    two.discard();
  }

  @Test
  void anOpenFileIsLocked() {
    assertThatThrownBy(() -> Backend.open(new RealDisk(), file, UNSYNCED)).isInstanceOf(FileLockedException.class);
  }

  @Test
  void theSizeIsThatOfTheLastCommit() throws IOException {
    long before = backend.size().bytes();
    backend.batch().putKey(2, 0, false, new byte[300_000]);
    assertThat(backend.size().bytes()).isEqualTo(before);
    commit();
    assertThat(backend.size().bytes()).isGreaterThan(before + 300_000).isEqualTo(backend.read().tx().sizeBytes());
    assertThat(backend.size().inUseBytes()).isPositive().isLessThanOrEqualTo(backend.size().bytes());
  }

  @Test
  void theWholeHashSkipsWhatMembersNeedNotShare() throws IOException {
    backend.batch().applied(9, 2);
    backend.batch().put(BucketName.META, MetaKey.STORAGE_VERSION, utf8("3.7.0"));
    backend.batch().put(BucketName.META, utf8("other"), utf8("1"));
    backend.batch().put(BucketName.ALARM, utf8("a"), utf8("b"));
    commit();
    CRC32C crc = new CRC32C();
    for (BucketName name : BucketName.values()) {
      crc.update(name.text().getBytes());
      if (name == BucketName.ALARM) {
        crc.update("ab".getBytes());
      } else if (name == BucketName.META) {
        crc.update("other1".getBytes());
      }
    }
    assertThat(backend.hash()).isEqualTo((int) crc.getValue());
  }

  @Test
  void aSnapshotIsADatabaseOfItsMoment() throws IOException {
    backend.batch().applied(7, 1);
    backend.batch().put(BucketName.META, MetaKey.STORAGE_VERSION, utf8("3.7.0"));
    for (int i = 0; i < 500; i++) {
      backend.batch().putKey(2 + i, 0, false, new byte[200]);
    }
    commit();
    Path copy = directory.resolve("copy");
    try (BackendSnapshot snapshot = backend.openSnapshot()) {
      for (int i = 0; i < 500; i++) {
        backend.batch().putKey(502 + i, 0, false, new byte[200]);
        if (i % 50 == 0) {
          commit();
        }
      }
      defragment();
      assertThat(snapshot.storageVersion()).isEqualTo("3.7.0");
      assertThat(snapshot.consistentIndex()).isEqualTo(7);
      write(snapshot, copy);
    }
    try (Bolt bolt = Bolt.open(new RealDisk(), copy, BoltOptions.reading());
        ReadTx tx = bolt.beginRead()) {
      Bucket keys = tx.bucket(utf8("key").array());
      assertThat(keys).isNotNull();
      assertThat(keys.get(RevisionKey.encode(501, 0))).isNotNull();
      assertThat(keys.get(RevisionKey.encode(502, 0))).isNull();
    }
  }

  private static void write(BackendSnapshot snapshot, Path target) throws IOException {
    assertThat(snapshot.remainingBytes()).isEqualTo(snapshot.sizeBytes());
    try (FileChannel out = FileChannel.open(target, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      ByteBuffer buffer = ByteBuffer.allocate(32 << 10);
      while (snapshot.read(buffer) >= 0) {
        buffer.flip();
        out.write(buffer);
        buffer.clear();
      }
    }
    assertThat(snapshot.remainingBytes()).isZero();
    assertThat(Files.size(target)).isEqualTo(snapshot.sizeBytes());
  }

  private void defragment() throws IOException {
    BackendCommit commit = null;
    try (Defragmentation copying = backend.beginDefragmentation()) {
      while (commit == null) {
        commit = copying.step(100, 1 << 20);
      }
    }
    backend.committed(commit);
  }
}
