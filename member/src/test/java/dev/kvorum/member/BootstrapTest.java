package dev.kvorum.member;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.env.Disk;
import dev.kvorum.env.RealDisk;
import dev.kvorum.raft.ConfChange;
import dev.kvorum.raft.ConfChangeCodec;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.HardState;
import dev.kvorum.state.Request;
import dev.kvorum.state.RequestCodec;
import dev.kvorum.state.RequestHeader;
import dev.kvorum.state.membership.Member;
import dev.kvorum.state.membership.MemberIds;
import dev.kvorum.state.membership.MemberJson;
import dev.kvorum.wal.Wal;
import dev.kvorum.wal.WalMetadata;
import dev.kvorum.wal.WalOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Starts on directories of every kind.
class BootstrapTest {
  private static final List<String> URLS = List.of("http://localhost:2380");

  @TempDir Path directory;
  private final Disk disk = new RealDisk();

  @Test
  void aMissingDbIsBuiltAnewFromAWholeLog() throws Exception {
    wrote(directory, 3);
    Files.delete(config().dbFile());
    try (LiveMember member = LiveMember.start(directory)) {
      assertThat(member.all().getCount()).isEqualTo(3);
    }
  }

  @Test
  void aMissingDbIsRefusedOnceTheLogBeginsAtASnapshot() throws Exception {
    try (LiveMember member = LiveMember.start(LiveMember.config(directory, Map.of("snapshotCount", 20L)), disk)) {
      putUntilTheLogBeginsAtASnapshot(member);
    }
    Files.delete(config().dbFile());
    assertRefused("failed to find database snapshot file");
    assertThat(config().dbFile()).doesNotExist();
  }

  /// A second snapshot is not taken before the log has recorded the first.
  private void putUntilTheLogBeginsAtASnapshot(LiveMember member) throws Exception {
    long snapshots = 0;
    for (int i = 0; snapshots < 2; i++) {
      member.put("k" + i, "v");
      snapshots = disk.list(config().snapDir()).stream().filter(name -> name.endsWith(".snap")).count();
    }
  }

  @Test
  void aDbOlderThanTheSnapshotItsLogBeginsAtIsRefused() throws Exception {
    wrote(directory, 3);
    byte[] old = Files.readAllBytes(config().dbFile());
    try (LiveMember member = LiveMember.start(LiveMember.config(directory, Map.of("snapshotCount", 20L)), disk)) {
      putUntilTheLogBeginsAtASnapshot(member);
    }
    Files.write(config().dbFile(), old);
    assertRefused("does not match with snapshot");
    assertThat(Files.readAllBytes(config().dbFile())).isEqualTo(old);
  }

  @Test
  void aDbWithoutItsLogIsRefused() throws Exception {
    wrote(directory, 3);
    disk.deleteTree(config().walDir());
    assertRefused("has no log in");
    assertThat(config().walDir()).doesNotExist();
  }

  @Test
  void aDbAheadOfItsLogIsRefused() throws Exception {
    wrote(directory, 3);
    Path later = directory.resolveSibling(directory.getFileName() + "-later");
    new TestDisk().image(directory, later);
    wrote(later, 20);
    Files.copy(
        LiveMember.config(later, Map.of()).dbFile(), config().dbFile(), StandardCopyOption.REPLACE_EXISTING);
    assertRefused("does not match with log");
  }

  /// By its own rules a log ends where the head of a record was overwritten with zeros. The db knows better, and what is
  /// behind the damage must still be there when somebody comes to mend it.
  @Test
  void aLogDamagedBeforeWhatItsDbHasAppliedIsRefusedAsItIs() throws Exception {
    wrote(directory, 60);
    Path segment = firstSegment();
    byte[] whole = Files.readAllBytes(segment);
    int head = frameOf(whole, "key30");
    for (int end : new int[] {head + 24, (head + 511) / 512 * 512 + 512}) {
      byte[] damaged = whole.clone();
      Arrays.fill(damaged, head, end, (byte) 0);
      Files.write(segment, damaged);
      assertThatThrownBy(() -> LiveMember.start(directory))
          .isInstanceOf(StartupException.class)
          .hasMessageMatching(
              "database file .* index 6\\d\\) does not match with log \\(last index 3\\d\\): "
                  + "the log ends at offset " + head + " of " + segment);
      assertThat(Arrays.equals(Files.readAllBytes(segment), damaged)).as("not touched").isTrue();
      assertThat(disk.list(config().walDir())).noneMatch(name -> name.endsWith(".broken"));
    }
    Files.write(segment, whole);
    try (LiveMember live = LiveMember.start(directory)) {
      assertThat(live.all().getCount()).isEqualTo(60);
    }
  }

  /// Where the frame begins whose record holds `text`.
  private static int frameOf(byte[] segment, String text) {
    ByteBuffer bytes = ByteBuffer.wrap(segment).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; ; ) {
      int length = (int) (bytes.getLong(at) & 0xFFFF_FFFFL);
      if (new String(segment, at + 8, length, StandardCharsets.ISO_8859_1).contains(text)) {
        return at;
      }
      at += 8 + length + (-length & 7);
    }
  }

  @Test
  void aDbOfAnotherClusterIsRefusedWhateverTheFlags() throws Exception {
    wrote(directory, 20);
    Path other = directory.resolveSibling(directory.getFileName() + "-other");
    Map<String, Object> elsewhere =
        Map.of("clusterToken", "another", "initialCluster", Map.of("default", URLS), "forceNewCluster", false);
    long stranger;
    try (LiveMember live = LiveMember.start(LiveMember.config(other, elsewhere), disk)) {
      stranger = live.member.memberId();
      live.put("foreign", "1");
    }
    long self = MemberIds.ofBootstrap(URLS, "etcd-cluster");
    assertThat(stranger).isNotEqualTo(self);
    Files.copy(
        LiveMember.config(other, Map.of()).dbFile(), config().dbFile(), StandardCopyOption.REPLACE_EXISTING);
    byte[] log = Files.readAllBytes(firstSegment());
    for (boolean force : new boolean[] {false, true}) {
      assertThatThrownBy(() -> LiveMember.start(LiveMember.config(directory, Map.of("forceNewCluster", force)), disk))
          .isInstanceOf(StartupException.class)
          .hasMessageContaining("is of another cluster than the log")
          .hasMessageContaining(
              "its members [" + MemberIds.toHex(stranger) + "] do not include " + MemberIds.toHex(self));
      assertThat(Arrays.equals(Files.readAllBytes(firstSegment()), log)).as("not touched").isTrue();
    }
  }

  @Test
  void aLockedDirectoryIsRefusedAndStartsOnceItIsFree() throws Exception {
    try (LiveMember first = LiveMember.start(directory)) {
      first.put("a", "1");
      assertThatThrownBy(() -> LiveMember.start(directory)).isInstanceOf(IOException.class);
      first.put("b", "2");
    }
    try (LiveMember again = LiveMember.start(directory)) {
      assertThat(again.all().getCount()).isEqualTo(2);
    }
  }

  @Test
  void aRefusedStartHoldsNothing() throws Exception {
    wrote(directory, 3);
    Path aside = directory.resolve("aside");
    Files.move(config().walDir(), aside);
    assertRefused("has no log in");
    Files.move(aside, config().walDir());
    try (LiveMember live = LiveMember.start(directory)) {
      assertThat(live.all().getCount()).isEqualTo(3);
    }
  }

  @Test
  void aDamagedDbIsNamed() throws Exception {
    wrote(directory, 3);
    overwrite(config().dbFile(), 0, 32 * 1024);
    assertThatThrownBy(() -> LiveMember.start(directory))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("db");
  }

  @Test
  void aDamagedLogIsNamed() throws Exception {
    wrote(directory, 200);
    overwrite(firstSegment(), 2_000, 8);
    assertThatThrownBy(() -> LiveMember.start(directory)).isInstanceOf(CorruptionException.class);
  }

  @Test
  void aFirstStartCutShortBeforeItsFirstEntryIsBegunAgain() throws Exception {
    long self = MemberIds.ofBootstrap(URLS, "etcd-cluster");
    disk.createDirectories(config().memberDir());
    Wal.create(disk, config().walDir(), new WalMetadata(self, MemberIds.ofCluster(List.of(self))), WalOptions.DEFAULT)
        .close();
    disk.createDirectories(config().snapDir());
    Files.createFile(config().dbFile());
    try (LiveMember live = LiveMember.start(directory)) {
      assertThat(live.put("a", "1")).isEqualTo(2);
    }
    try (LiveMember live = LiveMember.start(directory)) {
      assertThat(live.all().getCount()).isEqualTo(1);
    }
  }

  @Test
  void anEmptyLogOfSomebodyElseIsRefused() throws Exception {
    disk.createDirectories(config().memberDir());
    Wal.create(disk, config().walDir(), new WalMetadata(77, 88), WalOptions.DEFAULT).close();
    disk.createDirectories(config().snapDir());
    Files.createFile(config().dbFile());
    assertRefused("was begun by member 4d of cluster 58");
  }

  @Test
  void moreMembersThanThisReleaseCanReachAreRefused() throws Exception {
    twoMembers(9);
    assertRefused("clusters of more than one member are not available");
  }

  @Test
  void aNewClusterIsForcedFromTheLogOfTwo() throws Exception {
    long self = twoMembers(9);
    MemberConfig forcing = LiveMember.config(directory, Map.of("forceNewCluster", true));
    try (LiveMember live = LiveMember.start(forcing, disk)) {
      assertThat(live.member.membership().members()).extracting(Member::id).containsExactly(self);
      assertThat(live.all().getKvsList()).extracting(kv -> kv.getKey().toStringUtf8()).containsExactly("kept");
      live.put("new", "1");
    }
    try (LiveMember live = LiveMember.start(directory)) {
      assertThat(live.member.membership().members()).hasSize(1);
      assertThat(live.all().getCount()).isEqualTo(2);
    }
  }

  @Test
  void aNewClusterIsForcedAgainOverADbThatKnowsTheOthers() throws Exception {
    long self = twoMembers(9);
    try (LiveMember live = LiveMember.start(LiveMember.config(directory, Map.of("forceNewCluster", true)), disk)) {
      live.put("a", "1");
    }
    // and once more, when there is nobody left to remove
    try (LiveMember live = LiveMember.start(LiveMember.config(directory, Map.of("forceNewCluster", true)), disk)) {
      assertThat(live.member.membership().members()).extracting(Member::id).containsExactly(self);
      assertThat(live.all().getCount()).isEqualTo(2);
      live.put("b", "2");
    }
  }

  @Test
  void aDbOfFreePagesIsDefragmentedAtStart() throws Exception {
    long before;
    try (LiveMember live = LiveMember.start(directory)) {
      String large = "x".repeat(100_000);
      for (int i = 0; i < 40; i++) {
        live.put("k", large);
      }
      live.compact(live.put("k", "small"), true);
      before = live.member.backendSize().bytes();
    }
    try (LiveMember live =
        LiveMember.start(LiveMember.config(directory, Map.of("bootstrapDefragBytes", 1L << 20)), disk)) {
      assertThat(live.member.backendSize().bytes()).isLessThan(before / 4);
      assertThat(live.all().getKvs(0).getValue().toStringUtf8()).isEqualTo("small");
      assertThat(live.put("k", "again")).isEqualTo(43);
    }
  }

  private MemberConfig config() {
    return LiveMember.config(directory, Map.of());
  }

  private void assertRefused(String why) {
    assertThatThrownBy(() -> LiveMember.start(directory))
        .isInstanceOf(StartupException.class)
        .hasMessageContaining(why);
  }

  private static void wrote(Path data, int puts) throws Exception {
    try (LiveMember live = LiveMember.start(data)) {
      for (int i = 0; i < puts; i++) {
        live.put("key" + i, "value");
      }
    }
  }

  private static void overwrite(Path file, long from, int length) throws IOException {
    byte[] damage = new byte[length];
    Arrays.fill(damage, (byte) 0x5a);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(damage), from);
    }
  }

  private Path firstSegment() throws IOException {
    try (Stream<Path> files = Files.list(config().walDir())) {
      return files.filter(file -> file.toString().endsWith(".wal")).sorted().findFirst().orElseThrow();
    }
  }

  /// Writes the log of a member of two, as a second member's death leaves it: a put committed, one not. @return its id
  private long twoMembers(long term) throws IOException {
    long self = MemberIds.ofBootstrap(URLS, "etcd-cluster");
    List<String> otherUrls = List.of("http://localhost:3380");
    long other = MemberIds.ofBootstrap(otherUrls, "etcd-cluster");
    long clusterId = MemberIds.ofCluster(Stream.of(self, other).sorted(Long::compareUnsigned).toList());
    List<Entry> entries = new ArrayList<>();
    entries.add(addition(1, Member.voter(self, URLS).withAttributes("default", List.of())));
    entries.add(addition(2, Member.voter(other, otherUrls).withAttributes("other", List.of())));
    entries.add(Entry.normal(term, 3, Bytes.EMPTY));
    entries.add(put(term, 4, "kept"));
    entries.add(put(term, 5, "dropped"));
    disk.createDirectories(config().snapDir());
    Files.createFile(config().dbFile());
    try (Wal wal = Wal.create(disk, config().walDir(), new WalMetadata(self, clusterId), WalOptions.DEFAULT)) {
      wal.append(new HardState(term, other, 4), entries);
      wal.sync();
    }
    return self;
  }

  private static Entry addition(long index, Member member) {
    ConfChange.V1 change =
        new ConfChange.V1(0, ConfChange.Type.ADD_NODE, member.id(), Bytes.utf8(MemberJson.encode(member)));
    return new Entry(EntryType.CONF_CHANGE, 1, index, ConfChangeCodec.encode(change));
  }

  private static Entry put(long term, long index, String key) {
    Request.Put put = Request.Put.of(Bytes.utf8(key), Bytes.utf8("v"));
    return Entry.normal(term, index, Bytes.wrap(RequestCodec.encode(RequestHeader.of(index), put)));
  }
}
