package dev.kvorum.env.sim;

import dev.kvorum.env.Disk;
import dev.kvorum.env.DiskFile;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// A disk in memory that lies as real ones do: it loses power, fails, fills up, slows down and rots, all by seed.
///
/// Owned by one loop, except that its maps may be read by others. Paths are taken from the root, `a/b` the same as
/// `/a/b`. Memory goes for what was written, not for reserved space or zeros.
///
/// **Operations.** Everything that changes the disk is an operation and has a number, from 0 on: a write (of several
/// buffers, too), resize, allocate, sync, creation of a file or of one directory, rename, deletion of one name,
/// directory sync. Failed ones have numbers as well; reads, opening what exists, locks and closing have none.
///
/// **Power** is lost *before* an operation, in one of two ways:
///  - live: [#losePowerAt] says before which one; from then on everything throws [PowerLoss], until [#restart]; [#kill] ends only the process;
///  - afterwards: a disk that records ([#record]) can say by [#afterPowerLoss] what a failure at any operation would
///    have left, any number of times, so that one run of some work stands for all its crashes. [#operations] at the
///    moment something was acknowledged tells from which crash on it must be there.
///
/// What survives is chosen by a [Survival]; read there what is assumed of disks.
///
/// **Faults** are asked for each operation and read: see [Faults]. [#capacityBytes] limits space, [#rot] spoils what is
/// stored.
///
/// A map past the end of its file, which a real one could not read, reads as garbage there (0xDB), not as zeros.
public final class SimDisk implements Disk {
  private final DirectoryNode root;
  private int nextId;
  private long operations;
  private long losePowerAt = Long.MAX_VALUE;
  private boolean off;
  private int life;
  private long capacityBytes = Long.MAX_VALUE;
  private Faults faults = Faults.NONE;
  private LongConsumer onDelay = nanos -> {};
  private @Nullable Recording recording;

  /// Open files, to know whose space is not free yet though their name is gone. Never iterated where order shows.
  private final Map<FileNode, Boolean> held = new IdentityHashMap<>();

  /// An empty disk that does not record.
  public SimDisk() {
    this(new DirectoryNode(0), 1);
  }

  private SimDisk(DirectoryNode root, int nextId) {
    this.root = root;
    this.nextId = nextId;
  }

  /// An empty disk that records.
  public static SimDisk recording() {
    SimDisk disk = new SimDisk();
    disk.record();
    return disk;
  }

  /// How many operations there were: the number of the next one.
  public long operations() {
    return operations;
  }

  /// From now on power is lost before operation number `operation`; [Long#MAX_VALUE] for never.
  public void losePowerAt(long operation) {
    losePowerAt = operation;
  }

  /// Power is lost now.
  public void losePower() {
    off = true;
  }

  public boolean isOff() {
    return off;
  }

  /// Power is back, after [#losePower] if it was on: all openings and locks are gone, and of what was not synced
  /// `survival` is left. Numbers go on; a recording starts anew. Faults and capacity stay.
  public void restart(Survival survival, RandomGenerator random) {
    become(Survivors.of(root, survival, random));
  }

  /// Becomes what `image` is, all of it durable: an operator puts a [#copy] back. All openings and locks are gone; numbers
  /// go on; a recording starts anew. Faults and capacity stay.
  public void become(SimDisk image) {
    nextId = Math.max(nextId, image.nextId);
    become(Survivors.of(image.root, Survival.EVERYTHING, new SplittableRandom(0)));
  }

  private void become(DirectoryNode left) {
    off = false;
    losePowerAt = Long.MAX_VALUE;
    life++;
    held.clear();
    root.unsynced.clear();
    root.live.clear();
    root.durable.clear();
    root.live.putAll(left.live);
    root.durable.putAll(left.durable);
    if (recording != null) {
      record();
    }
  }

  /// The process is gone and the machine lives on: all openings and locks end; what is unsynced stays, and stays
  /// unsynced. A recording goes on.
  public void kill() {
    life++;
    for (FileNode file : held.keySet()) {
      file.unlock();
    }
    held.clear();
  }

  /// [#restart] with [Survival#RANDOM].
  public void restart(RandomGenerator random) {
    restart(Survival.RANDOM, random);
  }

  /// Remembers this moment and every operation from here on, with its bytes, for [#afterPowerLoss].
  public void record() {
    recording = new Recording(root, operations);
  }

  /// Forgets what was recorded.
  public void stopRecording() {
    recording = null;
  }

  /// Another disk, as this one would be had power been lost before operation number `operation` (up to, and including,
  /// [#operations]) and come back. It starts at operation 0, whole, without faults, and does not record.
  ///
  /// Cheap when asked in ascending order: files share what they have in common.
  ///
  /// @param random used by the random survivals only
  /// @throws IllegalArgumentException when that operation was not recorded
  public SimDisk afterPowerLoss(long operation, Survival survival, RandomGenerator random) {
    if (recording == null) {
      throw new IllegalArgumentException("this disk does not record");
    }
    return new SimDisk(Survivors.of(recording.at(operation), survival, random), nextId);
  }

  /// [#afterPowerLoss] with [Survival#RANDOM].
  public SimDisk afterPowerLoss(long operation, RandomGenerator random) {
    return afterPowerLoss(operation, Survival.RANDOM, random);
  }

  /// Another disk as this one is now, unsynced changes and all, but with nothing open: what a killed process leaves.
  public SimDisk copy() {
    return new SimDisk(TreeCopy.of(root).root(), nextId);
  }

  /// What a recorded operation was, for messages: `WRITE /wal/0.tmp`.
  public String describe(long operation) {
    if (recording == null || operation >= operations) {
      return "no operation";
    }
    Step step = recording.step(operation);
    return step.kind() + " " + step.path();
  }

  /// Who decides what goes wrong from now on.
  public void faults(Faults faults) {
    this.faults = faults;
  }

  /// Hears of every [Fault.Slow], so that a simulated clock may advance.
  public void onDelay(LongConsumer onDelay) {
    this.onDelay = onDelay;
  }

  /// Space for files: what is reserved or written of them, holes before written bytes included. Names take none.
  public void capacityBytes(long capacityBytes) {
    this.capacityBytes = capacityBytes;
  }

  /// Flips the bits of `mask` of the byte at `offset`, where it is stored and in what is cached of it.
  ///
  /// @throws IllegalArgumentException when the file ends before `offset`
  public void rot(Path path, long offset, int mask) throws IOException {
    FileNode file = file(path);
    if (offset < 0 || offset >= file.live.size) {
      throw new IllegalArgumentException(path + " has no byte at offset " + offset);
    }
    did(new Step.Rot(path, file.id(), offset, mask));
    file.rot(offset, mask);
  }

  /// Flips one bit anywhere in the file. @return the byte's offset
  public long rot(Path path, RandomGenerator random) throws IOException {
    long offset = random.nextLong(Math.max(1, file(path).live.storedEnd()));
    rot(path, offset, 1 << random.nextInt(8));
    return offset;
  }

  /// The whole file, as a reader sees it now.
  public byte[] contents(Path path) throws IOException {
    Content content = file(path).live;
    byte[] bytes = new byte[Math.toIntExact(content.size)];
    content.read(0, bytes, 0, bytes.length);
    return bytes;
  }

  /// Puts a file here, with its directories, all of it durable at once: how a test starts. No operation, no faults.
  ///
  /// @throws IllegalStateException while recording
  public void store(Path path, byte[] bytes) throws IOException {
    if (recording != null) {
      throw new IllegalStateException("store first, then record");
    }
    DirectoryNode at = root;
    for (Path name : directoryOf(path)) {
      Node next = at.live.get(name.toString());
      if (next == null) {
        next = new DirectoryNode(nextId++);
        at.live.put(name.toString(), next);
        at.durable.put(name.toString(), next);
      }
      at = asDirectory(next, path);
    }
    Content content = new Content();
    content.write(0, bytes, 0, bytes.length);
    content.size = bytes.length;
    FileNode file = new FileNode(nextId++, content);
    at.live.put(name(path), file);
    at.durable.put(name(path), file);
  }

  private static Iterable<Path> directoryOf(Path path) {
    Path directory = path.normalize().getParent();
    return directory == null ? List.of() : directory;
  }

  // What open files ask.

  int life() {
    return life;
  }

  void requirePower(int openedInLife) throws PowerLoss {
    if (off || openedInLife != life) {
      throw new PowerLoss();
    }
  }

  /// Before each change: the power may go now.
  void power() throws PowerLoss {
    if (operations >= losePowerAt) {
      off = true;
    }
    if (off) {
      throw new PowerLoss();
    }
  }

  Fault fault(OperationKind kind, Path path, long bytes) throws IOException {
    if (faults == Faults.NONE) {
      return Fault.NONE;
    }
    Fault fault = faults.on(operations, kind, path, bytes);
    while (fault instanceof Fault.Slow slow) {
      onDelay.accept(slow.nanos());
      fault = slow.then();
    }
    if (kind != OperationKind.SYNC && fault instanceof Fault.Fail fail) {
      failed(kind, path, fail.message());
    }
    return fault;
  }

  private void failed(OperationKind kind, Path path, String message) throws IOException {
    failedInPart(kind, path, message, kind == OperationKind.READ);
  }

  /// @param counted whether it has its number already, or gets none
  void failedInPart(OperationKind kind, Path path, String message, boolean counted) throws IOException {
    if (!counted) {
      did(new Step.Nothing(path, kind));
    }
    throw new IOException(kind.name().toLowerCase(java.util.Locale.ROOT) + " " + path + ": " + message);
  }

  /// For what cannot be done in part: a short one fails as well.
  void refuseAny(OperationKind kind, Path path, long bytes) throws IOException {
    if (fault(kind, path, bytes) instanceof Fault.Short cut) {
      failed(kind, path, cut.message());
    }
  }

  private void did(Step step) {
    operations++;
    if (recording != null) {
      recording.add(step);
    }
  }

  void write(FileNode file, Path path, long position, byte @Nullable [] data, long length) {
    file.write(operations, position, data, length);
    did(new Step.Write(path, file.id(), position, data, length));
  }

  void resize(FileNode file, Path path, long size) {
    file.resize(operations, size);
    did(new Step.Resize(path, file.id(), size));
  }

  void allocate(FileNode file, Path path, long size) {
    file.allocate(operations, size);
    did(new Step.Allocate(path, file.id(), size));
  }

  void noSpace(OperationKind kind, Path path) throws IOException {
    failed(kind, path, "No space left on device");
  }

  void sync(SimFile.Opening opening, Path path) throws IOException {
    FileNode file = opening.file;
    Fault fault = fault(OperationKind.SYNC, path, 0);
    String message = switch (fault) {
      case Fault.Fail fail -> fail.message();
      case Fault.Short cut -> cut.message();
      case Fault.None none -> null;
      case Fault.Rot rot -> null;
      case Fault.Slow slow -> null;
    };
    did(new Step.Sync(path, file.id(), message != null));
    if (message != null) {
      file.failSync();
      opening.hearsOfFailure();
      throw new IOException("sync " + path + ": " + message);
    }
    file.sync();
    if (opening.hearsOfFailure()) {
      throw new IOException("sync " + path + ": Input/output error");
    }
  }

  void held(FileNode file, int more) {
    file.holders += more;
    if (file.holders > 0) {
      held.put(file, true);
    } else {
      held.remove(file);
    }
  }

  /// Up to where `file` may reach, `wanted` or less.
  long roomFor(FileNode file, long wanted) {
    if (capacityBytes == Long.MAX_VALUE || wanted <= file.reservedTo) {
      return wanted;
    }
    return Math.min(wanted, file.reservedTo + Math.max(0, capacityBytes - usedBytes()));
  }

  /// Space taken by files that have a name or are open.
  public long usedBytes() {
    Map<FileNode, Boolean> counted = new IdentityHashMap<>(held);
    collect(root, counted);
    long sum = 0;
    for (FileNode file : counted.keySet()) {
      sum += file.reservedTo;
    }
    return sum;
  }

  private static void collect(DirectoryNode directory, Map<FileNode, Boolean> files) {
    for (Node node : directory.live.values()) {
      switch (node) {
        case FileNode file -> files.put(file, true);
        case DirectoryNode child -> collect(child, files);
      }
    }
  }

  // Names.

  private static String name(Path path) {
    return path.normalize().getFileName().toString();
  }

  private static DirectoryNode asDirectory(@Nullable Node node, Path path) throws IOException {
    return switch (node) {
      case null -> throw new NoSuchFileException(path.toString());
      case FileNode file -> throw new NotDirectoryException(path.toString());
      case DirectoryNode directory -> directory;
    };
  }

  private DirectoryNode directory(@Nullable Path path) throws IOException {
    DirectoryNode at = root;
    if (path != null) {
      for (Path name : path.normalize()) {
        if (!name.toString().isEmpty()) {
          at = asDirectory(at.live.get(name.toString()), path);
        }
      }
    }
    return at;
  }

  private DirectoryNode parent(Path path) throws IOException {
    return directory(path.normalize().getParent());
  }

  private @Nullable Node node(Path path) throws IOException {
    Path file = path.normalize().getFileName();
    return file == null || file.toString().isEmpty() ? root : parent(path).live.get(file.toString());
  }

  private FileNode file(Path path) throws IOException {
    return switch (node(path)) {
      case null -> throw new NoSuchFileException(path.toString());
      case DirectoryNode directory -> throw new FileSystemException(path.toString(), null, "Is a directory");
      case FileNode file -> file;
    };
  }

  @Override
  public DiskFile open(Path path, OpenMode mode) throws IOException {
    requirePower(life);
    DirectoryNode parent = parent(path);
    Node node = parent.live.get(name(path));
    boolean creates = mode == OpenMode.CREATE || mode == OpenMode.CREATE_NEW;
    if (node != null && mode == OpenMode.CREATE_NEW) {
      throw new FileAlreadyExistsException(path.toString());
    }
    if (node != null || !creates) {
      return new SimFile(this, path, file(path), mode != OpenMode.READ);
    }
    power();
    refuseAny(OperationKind.CREATE, path, 0);
    FileNode made = new FileNode(nextId++);
    parent.put(operations, name(path), made);
    did(new Step.Create(path, parent.id(), name(path), made.id(), false));
    return new SimFile(this, path, made, true);
  }

  @Override
  public boolean exists(Path path) {
    try {
      return !off && node(path) != null;
    } catch (IOException absent) {
      return false;
    }
  }

  @Override
  public boolean isDirectory(Path path) {
    try {
      return !off && node(path) instanceof DirectoryNode;
    } catch (IOException absent) {
      return false;
    }
  }

  @Override
  public List<String> list(Path path) throws IOException {
    requirePower(life);
    refuseAny(OperationKind.READ, path, 0);
    return new ArrayList<>(asDirectory(node(path), path).live.keySet());
  }

  @Override
  public void createDirectories(Path path) throws IOException {
    requirePower(life);
    DirectoryNode at = root;
    for (Path part : path.normalize()) {
      String name = part.toString();
      Node next = name.isEmpty() ? at : at.live.get(name);
      if (next instanceof FileNode) {
        throw new FileAlreadyExistsException(path.toString());
      }
      if (next == null) {
        power();
        refuseAny(OperationKind.CREATE_DIRECTORY, path, 0);
        next = new DirectoryNode(nextId++);
        at.put(operations, name, next);
        did(new Step.Create(path, at.id(), name, next.id(), true));
      }
      at = (DirectoryNode) next;
    }
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    requirePower(life);
    DirectoryNode source = parent(from);
    DirectoryNode target = parent(to);
    Node moved = source.live.get(name(from));
    Node replaced = target.live.get(name(to));
    if (moved == null) {
      throw new NoSuchFileException(from.toString());
    }
    if (moved == replaced) {
      return;
    }
    if (replaced instanceof DirectoryNode directory) {
      requireReplaceable(directory, moved, to);
    } else if (replaced != null && moved instanceof DirectoryNode) {
      throw new FileSystemException(to.toString(), null, "Not a directory");
    }
    power();
    refuseAny(OperationKind.RENAME, from, 0);
    DirectoryNode.rename(operations, source, name(from), target, name(to));
    did(new Step.Rename(from, source.id(), name(from), target.id(), name(to)));
  }

  private static void requireReplaceable(DirectoryNode replaced, Node by, Path path) throws IOException {
    if (by instanceof FileNode) {
      throw new FileSystemException(path.toString(), null, "Is a directory");
    }
    if (!replaced.live.isEmpty()) {
      throw new DirectoryNotEmptyException(path.toString());
    }
  }

  @Override
  public boolean delete(Path path) throws IOException {
    requirePower(life);
    Node node = exists(path) ? node(path) : null;
    if (node == null) {
      return false;
    }
    if (node instanceof DirectoryNode directory && !directory.live.isEmpty()) {
      throw new DirectoryNotEmptyException(path.toString());
    }
    power();
    refuseAny(OperationKind.DELETE, path, 0);
    DirectoryNode parent = parent(path);
    parent.remove(operations, name(path));
    did(new Step.Delete(path, parent.id(), name(path)));
    return true;
  }

  @Override
  public void deleteTree(Path path) throws IOException {
    requirePower(life);
    if (isDirectory(path)) {
      for (String name : list(path)) {
        deleteTree(path.resolve(name));
      }
    }
    delete(path);
  }

  @Override
  public void syncDirectory(Path path) throws IOException {
    requirePower(life);
    DirectoryNode directory = asDirectory(node(path), path);
    power();
    refuseAny(OperationKind.SYNC_DIRECTORY, path, 0);
    directory.sync();
    did(new Step.SyncDirectory(path, directory.id()));
  }
}
