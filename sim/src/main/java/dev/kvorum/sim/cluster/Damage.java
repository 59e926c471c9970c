package dev.kvorum.sim.cluster;

import dev.kvorum.env.sim.SimDisk;
import dev.kvorum.env.sim.Survival;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.SimHost;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// What befalls the files of a machine that is off: a bit or a sector rots, the database, the log or its end is lost.
///
/// Its member is started on what is left. It must refuse to, and say why; or be right, as the other judges see to. After
/// a refusal its operator puts back the disk's image from before, or, where members come and go, has it removed and
/// others added. Only such rot is drawn as can be told: bolt has sums over its meta pages and none over the others, so
/// of these a header rots, which must fit the rest; and of the log no whole sector at its end, which could be one that
/// was never written.
final class Damage {
  private static final int PAGE_BYTES = 4096;
  private static final int PAGE_HEADER_BYTES = 16;
  private static final int META_BYTES = 80;
  private static final int SECTOR_BYTES = 512;
  /// How far behind the log's last byte bits may flip.
  private static final int BEHIND_BYTES = 64;

  private final Cluster cluster;
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final List<Case> cases = new ArrayList<>();

  Damage(Cluster cluster, SplittableRandom random) {
    this.cluster = cluster;
    this.scheduler = cluster.scheduler();
    this.random = random;
  }

  /// One machine whose files are damaged, until all is well with it again.
  private final class Case {
    final Node node;
    final SimDisk before;
    @Nullable SimHost host;
    boolean serves;
    boolean lost;

    Case(Node node) {
      this.node = node;
      node.disk().restart(Survival.EVERYTHING, random); // what rots has long been written
      this.before = node.disk().copy();
    }

    boolean isOpen() {
      return cases.contains(this);
    }

    void begin() {
      if (!isOpen()) {
        return;
      }
      String what = spoil(node);
      if (what == null) {
        end();
      } else {
        scheduler.trace().event(scheduler.now(), node.name(), what);
        start();
      }
    }

    void start() {
      node.start();
      host = node.host();
      watch();
    }

    /// Until its member refuses or serves.
    void watch() {
      SimHost process = host;
      if (!isOpen() || process == null) {
        return;
      }
      if (node.phase() == Node.Phase.REMOVED) {
        cases.remove(this);
      } else if (!process.isAlive()) {
        dead(String.valueOf(process.deathCause()));
      } else if (node.phase() == Node.Phase.HALTED) {
        cluster.found("damage is refused", node.name() + " has begun to run on damaged files, and halts only then");
      } else if (node.phase() == Node.Phase.UP) {
        serves = true;
        scheduler.trace().event(scheduler.now(), node.name(), "serves all the same");
        scheduler.after(random.nextLong(3_000_000_000L), () -> {
          if (isOpen()) {
            end();
          }
        });
      } else {
        scheduler.after(5_000_000, this::watch);
      }
    }

    void dead(String cause) {
      if (!cause.startsWith("cannot start: ")) {
        start(); // something else befell it first
        return;
      }
      scheduler.trace().event(scheduler.now(), node.name(), "refuses: " + cause);
      if (!says(cause)) {
        cluster.found("damage is refused", node.name() + " does not say that its files are damaged: " + cause);
      }
      if (cluster.scenario().reconfigures() && cluster.members().size() > 2 && lost() == null && random.nextBoolean()) {
        lost = true;
        scheduler.trace().event(scheduler.now(), node.name(), "is lost");
      } else {
        restore();
      }
    }

    /// Refusals name what is wrong, and the file where one is.
    boolean says(String cause) {
      return cause.contains("StartupException")
          || cause.contains("WalException")
          || cause.contains("CorruptionException") && cause.contains("/" + node.name() + "/");
    }

    void restore() {
      node.disk().become(before);
      scheduler.trace().event(scheduler.now(), node.name(), "has its disk's image put back");
      end();
    }

    /// All is well with its files, or its member is content with them: from here on it must run.
    void end() {
      cases.remove(this);
      node.repairDisk();
      if (!cluster.isHealing()) {
        node.start();
      }
    }
  }

  boolean concerns(Node node) {
    return cases.stream().anyMatch(one -> one.node == node);
  }

  /// A machine whose files nobody gets back; null when there is none.
  @Nullable Node lost() {
    return cases.stream()
        .filter(one -> one.lost && one.node.phase() != Node.Phase.REMOVED)
        .map(one -> one.node)
        .findFirst()
        .orElse(null);
  }

  /// @param off a machine that is off, whose disk is well
  void befall(Node off) {
    Case one = new Case(off);
    cases.add(one);
    off.spoilDisk();
    scheduler.after(1_000_000L << random.nextInt(12), one::begin);
  }

  /// Nothing is to be wrong any more.
  void heal() {
    for (Case one : List.copyOf(cases)) {
      if (one.node.phase() == Node.Phase.REMOVED) {
        cases.remove(one);
      } else if (one.serves || one.node.phase() == Node.Phase.UP) { // what it has logged since is not to be undone
        one.end();
      } else {
        one.node.kill();
        one.restore();
      }
    }
  }

  // ---- What goes wrong

  /// @return what was done; null when there was nothing to spoil
  private @Nullable String spoil(Node node) {
    Scenario.Extras extras = cluster.scenario().extras();
    Path member = Path.of("/" + node.name(), "member");
    try {
      if (extras.losesFiles() && (!extras.rots() || random.nextInt(3) == 0)) {
        return lose(node.disk(), member);
      }
      return rot(node.disk(), member);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private @Nullable String lose(SimDisk disk, Path member) throws IOException {
    Path database = member.resolve("snap").resolve("db");
    Path log = member.resolve("wal");
    if (!disk.exists(database) || !disk.exists(log)) {
      return null;
    }
    long applied = Databases.appliedIndex(disk, database);
    int drawn = random.nextInt(3);
    // with nothing applied a db alone looks like that of a member that never was: nobody could tell
    if (drawn == 0 && applied > 0) {
      disk.deleteTree(log);
      disk.syncDirectory(member);
      return "loses its log";
    }
    Path newest = newestSegment(disk, log);
    // what the db has not applied could be missing without anybody's telling
    if (drawn == 1 && newest != null && firstIndex(newest) <= applied) {
      disk.delete(newest);
      disk.syncDirectory(log);
      return "loses the end of its log, " + newest + ", where its database has come to " + applied;
    }
    disk.delete(database);
    disk.syncDirectory(member.resolve("snap"));
    return "loses its database";
  }

  /// Null where there is but one.
  private static @Nullable Path newestSegment(SimDisk disk, Path log) throws IOException {
    List<String> segments = disk.list(log).stream().filter(name -> name.endsWith(".wal")).sorted().toList();
    return segments.size() < 2 ? null : log.resolve(segments.getLast());
  }

  private static long firstIndex(Path segment) {
    return Long.parseLong(segment.getFileName().toString().substring(17, 33), 16);
  }

  private @Nullable String rot(SimDisk disk, Path member) throws IOException {
    boolean log = random.nextBoolean();
    Path directory = member.resolve(log ? "wal" : "snap");
    if (!disk.isDirectory(directory)) {
      return null;
    }
    List<Path> files = new ArrayList<>();
    for (String name : disk.list(directory)) {
      if (name.endsWith(log ? ".wal" : ".snap") || name.equals("db")) {
        files.add(directory.resolve(name));
      }
    }
    if (files.isEmpty()) {
      return null;
    }
    Path file = files.get(random.nextInt(files.size()));
    byte[] bytes = disk.contents(file);
    if (file.endsWith("db")) {
      return rotDatabase(disk, file, bytes);
    }
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] == 0) {
      end--;
    }
    int sectors = (end - 1) / SECTOR_BYTES;
    if (log && sectors > 0 && random.nextInt(4) == 0) {
      long from = (long) SECTOR_BYTES * random.nextInt(sectors);
      for (int i = 0; i < SECTOR_BYTES; i++) {
        disk.rot(file, from + i, random.nextInt(256));
      }
      return file + " rots: the sector at " + from;
    }
    return rotBit(disk, file, random.nextInt(Math.min(bytes.length, end + BEHIND_BYTES)));
  }

  private String rotBit(SimDisk disk, Path file, long offset) throws IOException {
    return rotBit(disk, file, offset, random.nextInt(8));
  }

  private static String rotBit(SimDisk disk, Path file, long offset, int bit) throws IOException {
    disk.rot(file, offset, 1 << bit);
    return file + " rots: bit " + bit + " at " + offset;
  }

  private @Nullable String rotDatabase(SimDisk disk, Path file, byte[] bytes) throws IOException {
    if (bytes.length < 2 * PAGE_BYTES) {
      return null;
    }
    List<Integer> pages = Databases.pages(bytes, PAGE_BYTES);
    if (pages.isEmpty() || random.nextInt(4) == 0) {
      return rotMeta(disk, file, Databases.olderMeta(bytes, PAGE_BYTES));
    }
    int page = pages.get(random.nextInt(pages.size()));
    int offset = page * PAGE_BYTES + random.nextInt(PAGE_HEADER_BYTES);
    int bit = random.nextInt(8);
    return Databases.emptiesLeaf(bytes, page * PAGE_BYTES, offset, bit) ? null : rotBit(disk, file, offset, bit);
  }

  /// The older of the two, or both: without the newest alone, a state would be gone back to whose pages the commit after
  /// it may have begun to write over.
  private String rotMeta(SimDisk disk, Path file, int older) throws IOException {
    if (random.nextBoolean()) {
      return rotBit(disk, file, (long) older * PAGE_BYTES + random.nextInt(META_BYTES));
    }
    String[] said = new String[2];
    for (int meta = 0; meta < 2; meta++) {
      int at = PAGE_HEADER_BYTES + random.nextInt(META_BYTES - PAGE_HEADER_BYTES);
      said[meta] = rotBit(disk, file, (long) meta * PAGE_BYTES + at);
    }
    return said[0] + "; " + said[1];
  }
}
