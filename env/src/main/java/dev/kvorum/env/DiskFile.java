package dev.kvorum.env;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/// One open file. Reads and writes name their position; there is no cursor. Not interrupted: storage loops never are.
public interface DiskFile extends AutoCloseable {
  Path path();

  /// Reads up to `dst.remaining()` bytes. @return bytes read, or -1 at or past the end
  int read(ByteBuffer dst, long position) throws IOException;

  /// Fills `dst`. @throws java.io.EOFException when the file ends first
  default void readFully(ByteBuffer dst, long position) throws IOException {
    while (dst.hasRemaining()) {
      int n = read(dst, position);
      if (n < 0) {
        throw new java.io.EOFException(path() + " ends before offset " + (position + dst.remaining()));
      }
      position += n;
    }
  }

  /// Writes all of `src`, extending the file if need be.
  void write(ByteBuffer src, long position) throws IOException;

  /// Writes the buffers one behind another, all of each.
  void write(ByteBuffer[] sources, long position) throws IOException;

  long size() throws IOException;

  /// Sets the length; growth reads as zeros (sparse).
  void resize(long size) throws IOException;

  /// Reserves blocks up to `size`, extending the file with zeros.
  ///
  /// @throws IOException also when the disk is full, before any data depends on the space
  void allocate(long size) throws IOException;

  /// fdatasync: bytes and length are durable when it returns. A failure is final: never retry, stop the member.
  void sync() throws IOException;

  /// A read-only shared view of the first `length` bytes, which may reach past the end; bytes written later show
  /// through. Reading past the file's end is an error, as it is with mmap.
  Mapping map(long length) throws IOException;

  /// BSD `flock`, what bbolt uses. @return false when another holder excludes it
  boolean tryFlock(boolean exclusive) throws IOException;

  /// An exclusive open-file-description record lock on the whole file, what etcd's WAL uses; held until close.
  ///
  /// @return false when another holder excludes it
  boolean tryRecordLock() throws IOException;

  @Override
  void close() throws IOException;

  /// A mapped view. The caller closes it after its last reader is gone; reading later crashes nothing but is an error.
  interface Mapping extends AutoCloseable {
    MemorySegment segment();

    @Override
    void close();
  }
}
