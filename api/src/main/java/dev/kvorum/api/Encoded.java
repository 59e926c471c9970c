package dev.kvorum.api;

import com.google.protobuf.MessageLite;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Objects;

/// One protobuf message, already encoded: an immutable run of byte array slices.
///
/// Stored values and watch events are protobuf on disk and protobuf on the wire, so an answer is mostly bytes that
/// exist already. [ProtoWriter] threads them into one of these without copying, and [#stream] lets gRPC drain it
/// straight into its network buffer. The arrays stay referenced, not copied: whoever hands one in must never write to
/// it again.
public final class Encoded {
  public static final Encoded EMPTY = wrap(new byte[0]);
  private static final MethodDescriptor.Marshaller<Encoded> MARSHALLER = new EncodedMarshaller();

  private final byte[][] arrays;
  private final int[] offsets;
  private final int[] lengths;
  private final int size;

  /// Takes the three parallel arrays over; `size` is the sum of `lengths`.
  Encoded(byte[][] arrays, int[] offsets, int[] lengths, int size) {
    this.arrays = arrays;
    this.offsets = offsets;
    this.lengths = lengths;
    this.size = size;
  }

  /// One slice; no copy.
  public static Encoded wrap(byte[] array) {
    return wrap(array, 0, array.length);
  }

  public static Encoded wrap(byte[] array, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, array.length);
    return new Encoded(new byte[][] {array}, new int[] {offset}, new int[] {length}, length);
  }

  public static Encoded of(MessageLite message) {
    return wrap(message.toByteArray());
  }

  /// For method descriptors whose handlers answer with `Encoded`.
  public static MethodDescriptor.Marshaller<Encoded> marshaller() {
    return MARSHALLER;
  }

  /// Bytes in all.
  public int size() {
    return size;
  }

  /// Slices it is made of, for judging how well an answer was spliced.
  public int sliceCount() {
    return arrays.length;
  }

  public byte[] toByteArray() {
    byte[] whole = new byte[size];
    int at = 0;
    for (int i = 0; i < arrays.length; i++) {
      System.arraycopy(arrays[i], offsets[i], whole, at, lengths[i]);
      at += lengths[i];
    }
    return whole;
  }

  void appendTo(ProtoWriter out) {
    for (int i = 0; i < arrays.length; i++) {
      out.append(arrays[i], offsets[i], lengths[i]);
    }
  }

  public void writeTo(OutputStream out) throws IOException {
    writeTo(out, 0, 0);
  }

  /// From byte `within` of slice `slice` on.
  private void writeTo(OutputStream out, int slice, int within) throws IOException {
    int skip = within;
    for (int i = slice; i < arrays.length; i++) {
      out.write(arrays[i], offsets[i] + skip, lengths[i] - skip);
      skip = 0;
    }
  }

  /// A fresh view of the bytes; knows its length and drains itself, which is what gRPC asks of a message.
  public InputStream stream() {
    return new SliceStream(this);
  }

  private static final class SliceStream extends InputStream implements KnownLength, Drainable {
    private final Encoded encoded;
    private int slice;
    private int within;
    private int left;

    SliceStream(Encoded encoded) {
      this.encoded = encoded;
      this.left = encoded.size;
    }

    @Override
    public int available() {
      return left;
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      int drained = left;
      encoded.writeTo(target, slice, within);
      slice = encoded.arrays.length;
      within = 0;
      left = 0;
      return drained;
    }

    @Override
    public int read() {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      Objects.checkFromIndexSize(offset, length, target.length);
      if (length == 0) {
        return 0;
      }
      if (left == 0) {
        return -1;
      }
      while (within == encoded.lengths[slice]) {
        slice++;
        within = 0;
      }
      int count = Math.min(length, encoded.lengths[slice] - within);
      System.arraycopy(encoded.arrays[slice], encoded.offsets[slice] + within, target, offset, count);
      within += count;
      left -= count;
      return count;
    }
  }

  private static final class EncodedMarshaller implements MethodDescriptor.Marshaller<Encoded> {
    @Override
    public InputStream stream(Encoded value) {
      return value.stream();
    }

    @Override
    public Encoded parse(InputStream stream) {
      try {
        return wrap(stream.readAllBytes());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
