package dev.kvorum.env.sim;

import dev.kvorum.env.DiskFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.Path;
import java.util.Arrays;

/// An open file of a [SimDisk].
final class SimFile implements DiskFile {
  private static final byte[] ZEROS = new byte[64 << 10];

  /// What locks belong to: it lasts until the file and all its maps are closed.
  static final class Opening {
    final FileNode file;
    private final SimDisk disk;
    private final int life;

    /// Failed syncs of the file that this opening knows of.
    private int failuresHeard;

    private int holders;
    private boolean sharesFlock;

    Opening(SimDisk disk, FileNode file) {
      this.disk = disk;
      this.file = file;
      life = disk.life();
      failuresHeard = file.failedSyncs;
    }

    /// Whether a sync failed since this opening last heard of one.
    boolean hearsOfFailure() {
      boolean news = file.failedSyncs != failuresHeard;
      failuresHeard = file.failedSyncs;
      return news;
    }

    void hold() {
      holders++;
      disk.held(file, 1);
    }

    void release() {
      if (life != disk.life()) {
        return; // its process is gone, and so is all it held
      }
      disk.held(file, -1);
      if (--holders == 0) {
        unlock();
      }
    }

    private void unlock() {
      dropFlock();
      if (file.recordLockHolder == this) {
        file.recordLockHolder = null;
      }
    }

    private void dropFlock() {
      if (file.exclusiveFlockHolder == this) {
        file.exclusiveFlockHolder = null;
      }
      if (sharesFlock) {
        sharesFlock = false;
        file.sharedFlocks--;
      }
    }

    boolean tryFlock(boolean exclusive) {
      boolean othersExclude = file.exclusiveFlockHolder != null && file.exclusiveFlockHolder != this;
      boolean othersShare = file.sharedFlocks > (sharesFlock ? 1 : 0);
      if (othersExclude || exclusive && othersShare) {
        return false;
      }
      dropFlock();
      if (exclusive) {
        file.exclusiveFlockHolder = this;
      } else {
        sharesFlock = true;
        file.sharedFlocks++;
      }
      return true;
    }

    boolean tryRecordLock() {
      if (file.recordLockHolder == null) {
        file.recordLockHolder = this;
      }
      return file.recordLockHolder == this;
    }
  }

  private final SimDisk disk;
  private final Path path;
  private final FileNode file;
  private final boolean writable;
  private final Opening opening;
  private boolean closed;

  SimFile(SimDisk disk, Path path, FileNode file, boolean writable) {
    this.disk = disk;
    this.path = path;
    this.file = file;
    this.writable = writable;
    opening = new Opening(disk, file);
    opening.hold();
  }

  @Override
  public Path path() {
    return path;
  }

  private void requireOpen() throws IOException {
    disk.requirePower(opening.life);
    if (closed) {
      throw new ClosedChannelException();
    }
  }

  private void requireWritable() throws IOException {
    requireOpen();
    if (!writable) {
      throw new NonWritableChannelException();
    }
  }

  @Override
  public int read(ByteBuffer dst, long position) throws IOException {
    requireOpen();
    Fault fault = disk.fault(OperationKind.READ, path, dst.remaining());
    int length = (int) Math.min(dst.remaining(), file.live.size - position);
    if (length <= 0) {
      return dst.hasRemaining() ? -1 : 0;
    }
    int start = dst.position();
    if (dst.hasArray()) {
      file.live.read(position, dst.array(), dst.arrayOffset() + start, length);
      dst.position(start + length);
    } else {
      byte[] bytes = new byte[length];
      file.live.read(position, bytes, 0, length);
      dst.put(bytes);
    }
    if (fault instanceof Fault.Rot rot) {
      int at = start + (int) Math.floorMod(rot.offset(), (long) length);
      dst.put(at, (byte) (dst.get(at) ^ rot.mask()));
    }
    return length;
  }

  @Override
  public void write(ByteBuffer src, long position) throws IOException {
    byte[] bytes = new byte[src.remaining()];
    src.get(bytes);
    write(bytes, position);
  }

  @Override
  public void write(ByteBuffer[] sources, long position) throws IOException {
    int length = 0;
    for (ByteBuffer source : sources) {
      length = Math.addExact(length, source.remaining());
    }
    byte[] bytes = new byte[length];
    int at = 0;
    for (ByteBuffer source : sources) {
      int n = source.remaining();
      source.get(bytes, at, n);
      at += n;
    }
    write(bytes, position);
  }

  private void write(byte[] bytes, long position) throws IOException {
    requireWritable();
    if (bytes.length == 0) {
      return;
    }
    disk.power();
    Fault fault = disk.fault(OperationKind.WRITE, path, bytes.length);
    int fits = (int) Math.clamp(disk.roomFor(file, position + bytes.length) - position, 0, bytes.length);
    String refusal = fits < bytes.length ? "No space left on device" : null;
    if (fault instanceof Fault.Short cut && cut.bytes() < fits) {
      fits = Math.max(0, cut.bytes());
      refusal = cut.message();
    }
    if (fits < bytes.length) {
      fits = (int) Math.max(0, fits - (position + fits) % FileNode.SECTOR_BYTES);
    }
    if (fits > 0) {
      byte[] written = fits == bytes.length ? bytes : Arrays.copyOf(bytes, fits);
      disk.write(file, path, position, isZeros(written) ? null : written, fits);
    }
    if (refusal != null) {
      disk.failedInPart(OperationKind.WRITE, path, refusal, fits > 0);
    }
  }

  private static boolean isZeros(byte[] bytes) {
    for (int from = 0; from < bytes.length; from += ZEROS.length) {
      int to = Math.min(from + ZEROS.length, bytes.length);
      if (!Arrays.equals(bytes, from, to, ZEROS, 0, to - from)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public long size() throws IOException {
    requireOpen();
    return file.live.size;
  }

  @Override
  public void resize(long size) throws IOException {
    requireWritable();
    disk.power();
    disk.refuseAny(OperationKind.RESIZE, path, size);
    disk.resize(file, path, size);
  }

  @Override
  public void allocate(long size) throws IOException {
    requireWritable();
    disk.power();
    disk.refuseAny(OperationKind.ALLOCATE, path, size);
    if (disk.roomFor(file, size) < size) {
      disk.noSpace(OperationKind.ALLOCATE, path);
    }
    disk.allocate(file, path, size);
  }

  @Override
  public void sync() throws IOException {
    requireOpen();
    disk.power();
    disk.sync(opening, path);
  }

  @Override
  public Mapping map(long length) throws IOException {
    requireOpen();
    return new SimMapping(opening, length);
  }

  @Override
  public boolean tryFlock(boolean exclusive) throws IOException {
    requireOpen();
    return opening.tryFlock(exclusive);
  }

  @Override
  public boolean tryRecordLock() throws IOException {
    requireOpen();
    return opening.tryRecordLock();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      opening.release();
    }
  }
}
