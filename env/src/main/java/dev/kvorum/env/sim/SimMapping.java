package dev.kvorum.env.sim;

import dev.kvorum.env.DiskFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A view of a file: memory of its own, into which everything written later is written too. What lies past the file's
/// last page, where a real map would not be readable, holds [#POISON].
final class SimMapping implements DiskFile.Mapping {
  static final byte POISON = (byte) 0xDB;

  /// So far past the end poison is laid; a map may reach very much farther.
  private static final long POISON_BYTES_MAX = 1 << 20;

  private static final long PAGE_BYTES = 4096;

  private final Arena scope = Arena.ofShared();
  private final MemorySegment memory;
  private final MemorySegment view;
  private final SimFile.Opening opening;
  private boolean closed;

  SimMapping(SimFile.Opening opening, long length) {
    this.opening = opening;
    memory = scope.allocate(Math.max(length, 1), Long.BYTES).asSlice(0, length);
    view = memory.asReadOnly();
    Content content = opening.file.live;
    show(content, 0, content.storedEnd());
    poison(content.size);
    opening.file.mappings.add(this);
    opening.hold();
  }

  @Override
  public MemorySegment segment() {
    return view;
  }

  private static long pageEnd(long size) {
    return (size + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
  }

  private void poison(long size) {
    long from = Math.min(pageEnd(size), memory.byteSize());
    memory.asSlice(from, Math.min(memory.byteSize() - from, POISON_BYTES_MAX)).fill(POISON);
  }

  /// Shows `change`, which `content` holds already.
  void show(Content content, FileNode.Change change) {
    if (change.sizeAfter() < change.sizeBefore()) {
      zero(change.sizeAfter(), pageEnd(change.sizeAfter()));
      poison(change.sizeAfter());
      return;
    }
    if (change.sizeAfter() > change.sizeBefore()) {
      zero(pageEnd(change.sizeBefore()), pageEnd(change.sizeAfter()));
      poison(change.sizeAfter());
    }
    show(content, change.position(), change.end());
  }

  private void zero(long from, long to) {
    long end = Math.min(to, memory.byteSize());
    if (from < end) {
      memory.asSlice(from, end - from).fill((byte) 0);
    }
  }

  private void show(Content content, long from, long to) {
    long end = Math.min(to, memory.byteSize());
    while (from < end) {
      long chunkEnd = (from / Content.CHUNK_BYTES + 1) * Content.CHUNK_BYTES;
      long length = Math.min(end, chunkEnd) - from;
      byte[] chunk = content.chunk(from);
      if (chunk == null) {
        memory.asSlice(from, length).fill((byte) 0);
      } else {
        int at = (int) (from % Content.CHUNK_BYTES);
        MemorySegment.copy(chunk, at, memory, ValueLayout.JAVA_BYTE, from, (int) length);
      }
      from += length;
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      opening.file.mappings.remove(this);
      opening.release();
      scope.close();
    }
  }
}
