package dev.kvorum.env.sim;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A file's bytes in chunks; copies share chunks until one of them writes. A chunk that is null holds zeros, so holes
/// and reserved space cost nothing.
final class Content {
  static final int CHUNK_BYTES = 4096;

  private @Nullable byte[][] chunks = new byte[0][];

  /// Whether the chunk belongs to this content alone.
  private boolean[] own = new boolean[0];

  long size;

  /// A copy that shares all chunks with this.
  Content copy() {
    Content copy = new Content();
    Arrays.fill(own, false);
    copy.chunks = chunks.clone();
    copy.own = new boolean[own.length];
    copy.size = size;
    return copy;
  }

  /// Makes the chunks that hold `[from, to)` the same as in `other`; the size stays.
  void share(Content other, long from, long to) {
    int last = (int) Math.min((to + CHUNK_BYTES - 1) / CHUNK_BYTES, Math.max(other.chunks.length, chunks.length));
    for (int i = (int) (from / CHUNK_BYTES); i < last; i++) {
      byte @Nullable [] chunk = i < other.chunks.length ? other.chunks[i] : null;
      if (chunk != null) {
        other.own[i] = false;
        reach(i);
      }
      if (i < chunks.length) {
        chunks[i] = chunk;
        own[i] = false;
      }
    }
  }

  void read(long position, byte[] to, int offset, int length) {
    while (length > 0) {
      int at = (int) (position % CHUNK_BYTES);
      int n = Math.min(length, CHUNK_BYTES - at);
      byte @Nullable [] chunk = chunk(position);
      if (chunk == null) {
        Arrays.fill(to, offset, offset + n, (byte) 0);
      } else {
        System.arraycopy(chunk, at, to, offset, n);
      }
      position += n;
      offset += n;
      length -= n;
    }
  }

  /// The chunk at `position`, null when zeros.
  byte @Nullable [] chunk(long position) {
    long i = position / CHUNK_BYTES;
    return i < chunks.length ? chunks[(int) i] : null;
  }

  /// Bytes up to here are stored; from here on there are zeros only.
  long storedEnd() {
    return Math.min(size, (long) chunks.length * CHUNK_BYTES);
  }

  /// Writes without regard to the size.
  void write(long position, byte[] from, int offset, int length) {
    while (length > 0) {
      int at = (int) (position % CHUNK_BYTES);
      int n = Math.min(length, CHUNK_BYTES - at);
      System.arraycopy(from, offset, ownChunk((int) (position / CHUNK_BYTES)), at, n);
      position += n;
      offset += n;
      length -= n;
    }
  }

  /// Writes zeros without regard to the size.
  void zero(long position, long length) {
    long end = Math.min(position + length, (long) chunks.length * CHUNK_BYTES);
    while (position < end) {
      int at = (int) (position % CHUNK_BYTES);
      int n = (int) Math.min(end - position, CHUNK_BYTES - at);
      int i = (int) (position / CHUNK_BYTES);
      if (n == CHUNK_BYTES) {
        chunks[i] = null;
        own[i] = false;
      } else if (chunks[i] != null) {
        Arrays.fill(ownChunk(i), at, at + n, (byte) 0);
      }
      position += n;
    }
  }

  private byte[] ownChunk(int i) {
    reach(i);
    byte @Nullable [] chunk = chunks[i];
    if (chunk == null) {
      chunk = new byte[CHUNK_BYTES];
    } else if (!own[i]) {
      chunk = chunk.clone();
    } else {
      return chunk;
    }
    chunks[i] = chunk;
    own[i] = true;
    return chunk;
  }

  private void reach(int i) {
    if (i >= chunks.length) {
      int length = Math.max(i + 1, chunks.length + chunks.length / 2);
      chunks = Arrays.copyOf(chunks, length);
      own = Arrays.copyOf(own, length);
    }
  }
}
