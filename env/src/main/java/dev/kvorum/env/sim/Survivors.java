package dev.kvorum.env.sim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/// Decides, for one power failure, what of a tree is left, and builds that. The tree itself stays as it is.
final class Survivors {
  private static final int SECTOR_BYTES = FileNode.SECTOR_BYTES;

  private enum Writes {
    NONE,
    ALL,
    /// The one write whose number is `chosen`.
    ONE,
    ALL_BUT_ONE,
    BEFORE,
    /// Each wholly or not.
    SOME,
    /// Each sector by itself.
    SECTORS
  }

  private enum Metadata {
    NONE,
    ALL,
    SOME
  }

  private final RandomGenerator random;
  private final boolean torn;
  private Writes writes;
  private Metadata names;
  private Metadata lengths;
  private long chosen;
  private double chance = 0.5;

  /// For each directory: how many of its unsynced changes survive.
  private final Map<Integer, Integer> survivingNames = new HashMap<>();
  private final List<DirectoryNode> directories = new ArrayList<>();
  private final Map<Integer, Node> built = new HashMap<>();
  private final byte[] sector = new byte[SECTOR_BYTES];

  private Survivors(DirectoryNode root, Survival survival, RandomGenerator random) {
    this.random = random;
    torn = survival == Survival.RANDOM_TORN;
    names = Metadata.ALL;
    lengths = Metadata.ALL;
    TreeMap<Long, FileNode> pending = new TreeMap<>();
    collect(root, pending, new HashMap<>());
    writes = switch (survival) {
      case NOTHING -> {
        names = Metadata.NONE;
        lengths = Metadata.NONE;
        yield Writes.NONE;
      }
      case NO_DATA -> Writes.NONE;
      case EVERYTHING -> Writes.ALL;
      case ONLY_THE_LAST_WRITE -> {
        chosen = pending.isEmpty() ? -1 : pending.lastKey();
        yield Writes.ONE;
      }
      case ALL_BUT_THE_FIRST_WRITE -> {
        chosen = pending.isEmpty() ? -1 : pending.firstKey();
        yield Writes.ALL_BUT_ONE;
      }
      case RANDOM, RANDOM_TORN -> {
        names = drawMetadata();
        lengths = drawMetadata();
        chosen = pending.isEmpty() ? -1 : new ArrayList<>(pending.keySet()).get(random.nextInt(pending.size()));
        chance = random.nextInt(4) == 0 ? random.nextDouble() : 0.5;
        yield drawWrites();
      }
    };
  }

  /// The root of what is left of `root` under `survival`: everything in it is durable.
  static DirectoryNode of(DirectoryNode root, Survival survival, RandomGenerator random) {
    Survivors survivors = new Survivors(root, survival, random);
    survivors.cutNames();
    return (DirectoryNode) survivors.build(root);
  }

  private Metadata drawMetadata() {
    return switch (random.nextInt(4)) {
      case 0 -> Metadata.NONE;
      case 1 -> Metadata.ALL;
      default -> Metadata.SOME;
    };
  }

  private Writes drawWrites() {
    return switch (random.nextInt(12)) {
      case 0 -> Writes.NONE;
      case 1 -> Writes.ALL;
      case 2 -> Writes.ONE;
      case 3 -> Writes.ALL_BUT_ONE;
      case 4, 5 -> Writes.BEFORE;
      case 6, 7, 8 -> Writes.SOME;
      default -> Writes.SECTORS;
    };
  }

  private void collect(Node node, TreeMap<Long, FileNode> pending, Map<Integer, Node> seen) {
    if (seen.putIfAbsent(node.id(), node) != null) {
      return;
    }
    switch (node) {
      case FileNode file -> {
        for (FileNode.Change change : file.unsynced) {
          if (change.isWrite()) {
            pending.put(change.operation(), file);
          }
        }
      }
      case DirectoryNode directory -> {
        directories.add(directory);
        directory.durable.values().forEach(child -> collect(child, pending, seen));
        for (DirectoryNode.Change change : directory.unsynced) {
          if (change.node() != null) {
            collect(change.node(), pending, seen);
          }
          if (change.partner() != null) {
            collect(change.partner(), pending, seen);
          }
        }
      }
    }
  }

  private int prefix(Metadata what, int count) {
    return switch (what) {
      case NONE -> 0;
      case ALL -> count;
      case SOME -> random.nextInt(count + 1);
    };
  }

  /// A rename between two directories that one of them loses the other loses too, with all that follows.
  private void cutNames() {
    for (DirectoryNode directory : directories) {
      survivingNames.put(directory.id(), prefix(names, directory.unsynced.size()));
    }
    boolean changed = true;
    while (changed) {
      changed = false;
      for (DirectoryNode directory : directories) {
        for (int i = survivingNames.get(directory.id()); i < directory.unsynced.size(); i++) {
          DirectoryNode.Change lost = directory.unsynced.get(i);
          changed |= lost.partner() != null && loseFrom(lost.partner(), lost.operation());
        }
      }
    }
  }

  private boolean loseFrom(DirectoryNode directory, long operation) {
    int surviving = survivingNames.get(directory.id());
    int kept = 0;
    while (kept < surviving && directory.unsynced.get(kept).operation() < operation) {
      kept++;
    }
    survivingNames.put(directory.id(), kept);
    return kept < surviving;
  }

  private Node build(Node node) {
    Node done = built.get(node.id());
    if (done != null) {
      return done;
    }
    return switch (node) {
      case FileNode file -> {
        FileNode left = new FileNode(file.id(), content(file));
        left.reservedTo = Math.max(left.reservedTo, left.live.size);
        built.put(file.id(), left);
        yield left;
      }
      case DirectoryNode directory -> {
        DirectoryNode left = new DirectoryNode(directory.id());
        built.put(directory.id(), left);
        TreeMap<String, Node> kept = new TreeMap<>(directory.durable);
        for (DirectoryNode.Change change :
            directory.unsynced.subList(0, survivingNames.get(directory.id()))) {
          change.apply(kept);
        }
        kept.forEach((name, child) -> left.durable.put(name, build(child)));
        left.live.putAll(left.durable);
        yield left;
      }
    };
  }

  private Content content(FileNode file) {
    Content kept = file.durable.copy();
    if (file.unsynced.isEmpty()) {
      return kept;
    }
    Content cache = file.durable.copy();
    int lengthsKept = prefix(lengths, file.unsynced.size());
    long size = file.durable.size;
    for (int i = 0; i < file.unsynced.size(); i++) {
      FileNode.Change change = file.unsynced.get(i);
      change.apply(cache);
      if (i < lengthsKept) {
        size = change.sizeAfter() >= 0 ? change.sizeAfter() : size;
        if (change.cut()) {
          kept.zero(change.position(), change.length());
        }
      }
      if (change.isWrite()) {
        keep(change, cache, kept);
      }
    }
    kept.size = size;
    kept.zero(size, Long.MAX_VALUE - size);
    return kept;
  }

  private void keep(FileNode.Change write, Content cache, Content kept) {
    boolean whole = switch (writes) {
      case NONE -> false;
      case ALL -> true;
      case ONE -> write.operation() == chosen;
      case ALL_BUT_ONE -> write.operation() != chosen;
      case BEFORE -> write.operation() < chosen;
      case SOME -> random.nextDouble() < chance;
      case SECTORS -> true;
    };
    if (!whole) {
      return;
    }
    for (long at = write.position() / SECTOR_BYTES * SECTOR_BYTES; at < write.end(); at += SECTOR_BYTES) {
      boolean zeros = cache.chunk(at) == null && kept.chunk(at) == null;
      if (!zeros && (writes != Writes.SECTORS || random.nextDouble() < chance)) {
        keepSector(at, cache, kept);
      }
    }
  }

  private void keepSector(long at, Content cache, Content kept) {
    cache.read(at, sector, 0, SECTOR_BYTES);
    if (!torn || random.nextInt(4) != 0) {
      kept.write(at, sector, 0, SECTOR_BYTES);
      return;
    }
    int tear = random.nextInt(SECTOR_BYTES + 1);
    if (random.nextBoolean()) {
      kept.write(at, sector, 0, tear);
    } else {
      kept.write(at + tear, sector, tear, SECTOR_BYTES - tear);
    }
  }
}
