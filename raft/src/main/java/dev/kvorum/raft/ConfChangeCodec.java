package dev.kvorum.raft;

import dev.kvorum.env.Bytes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Conf changes as the data of log entries: `raftpb.ConfChange` and `raftpb.ConfChangeV2`, both proto2.
///
/// Raft must read them itself, because a leader refuses a change that would break safety before it enters the log.
/// Written as etcd 3.7 writes them: an id or a context only when there is one, everything else always.
public final class ConfChangeCodec {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED32 = 5;

  private ConfChangeCodec() {}

  /// The entry type that carries `change`.
  public static EntryType entryType(ConfChange change) {
    return switch (change) {
      case ConfChange.V1 v1 -> EntryType.CONF_CHANGE;
      case ConfChange.V2 v2 -> EntryType.CONF_CHANGE_V2;
    };
  }

  public static Bytes encode(ConfChange change) {
    Writer out = new Writer();
    switch (change) {
      case ConfChange.V1 v1 -> {
        if (v1.id() != 0) {
          out.varintField(1, v1.id());
        }
        out.varintField(2, v1.type().ordinal());
        out.varintField(3, v1.nodeId());
        if (!v1.context().isEmpty()) {
          out.bytesField(4, v1.context().array());
        }
      }
      case ConfChange.V2 v2 -> {
        out.varintField(1, v2.transition().ordinal());
        for (ConfChange.Single single : v2.changes()) {
          Writer nested = new Writer();
          nested.varintField(1, single.type().ordinal());
          nested.varintField(2, single.nodeId());
          out.bytesField(2, nested.toArray());
        }
        if (!v2.context().isEmpty()) {
          out.bytesField(3, v2.context().array());
        }
      }
    }
    return Bytes.wrap(out.toArray());
  }

  /// The change an entry carries.
  ///
  /// @throws IllegalArgumentException when the entry is a normal one, or its data is no such message
  public static ConfChange decode(Entry entry) {
    return switch (entry.type()) {
      case CONF_CHANGE -> decodeV1(entry.data());
      case CONF_CHANGE_V2 -> decodeV2(entry.data());
      case NORMAL -> throw new IllegalArgumentException("a normal entry carries no conf change");
    };
  }

  /// @throws IllegalArgumentException when the bytes are no `raftpb.ConfChange`
  public static ConfChange.V1 decodeV1(Bytes data) {
    Reader in = new Reader(data.array());
    long id = 0;
    long type = 0;
    long nodeId = 0;
    Bytes context = Bytes.EMPTY;
    while (in.next()) {
      switch (in.field) {
        case 1 -> id = in.number(VARINT);
        case 2 -> type = in.number(VARINT);
        case 3 -> nodeId = in.number(VARINT);
        case 4 -> context = Bytes.wrap(in.bytes());
        default -> in.skip();
      }
    }
    return new ConfChange.V1(id, type(type), nodeId, context);
  }

  /// @throws IllegalArgumentException when the bytes are no `raftpb.ConfChangeV2`
  public static ConfChange.V2 decodeV2(Bytes data) {
    Reader in = new Reader(data.array());
    long transition = 0;
    List<ConfChange.Single> changes = new ArrayList<>();
    Bytes context = Bytes.EMPTY;
    while (in.next()) {
      switch (in.field) {
        case 1 -> transition = in.number(VARINT);
        case 2 -> changes.add(decodeSingle(in.bytes()));
        case 3 -> context = Bytes.wrap(in.bytes());
        default -> in.skip();
      }
    }
    ConfChange.Transition[] transitions = ConfChange.Transition.values();
    if (transition < 0 || transition >= transitions.length) {
      throw new IllegalArgumentException("unknown conf change transition " + transition);
    }
    return new ConfChange.V2(transitions[(int) transition], changes, context);
  }

  private static ConfChange.Single decodeSingle(byte[] data) {
    Reader in = new Reader(data);
    long type = 0;
    long nodeId = 0;
    while (in.next()) {
      switch (in.field) {
        case 1 -> type = in.number(VARINT);
        case 2 -> nodeId = in.number(VARINT);
        default -> in.skip();
      }
    }
    return new ConfChange.Single(type(type), nodeId);
  }

  private static ConfChange.Type type(long number) {
    ConfChange.Type[] types = ConfChange.Type.values();
    if (number < 0 || number >= types.length) {
      throw new IllegalArgumentException("unknown conf change type " + number);
    }
    return types[(int) number];
  }

  private static final class Writer {
    private byte[] buffer = new byte[32];
    private int size;

    void varintField(int field, long value) {
      varint((long) field << 3 | VARINT);
      varint(value);
    }

    void bytesField(int field, byte[] value) {
      varint((long) field << 3 | LENGTH_DELIMITED);
      varint(value.length);
      reserve(value.length);
      System.arraycopy(value, 0, buffer, size, value.length);
      size += value.length;
    }

    private void varint(long value) {
      reserve(10);
      while ((value & ~0x7FL) != 0) {
        buffer[size++] = (byte) (value | 0x80);
        value >>>= 7;
      }
      buffer[size++] = (byte) value;
    }

    private void reserve(int more) {
      if (size + more > buffer.length) {
        buffer = Arrays.copyOf(buffer, Math.max(buffer.length * 2, size + more));
      }
    }

    byte[] toArray() {
      return Arrays.copyOf(buffer, size);
    }
  }

  private static final class Reader {
    private final byte[] in;
    private int at;
    private int wireType;
    int field;

    Reader(byte[] in) {
      this.in = in;
    }

    boolean next() {
      if (at == in.length) {
        return false;
      }
      long tag = varint();
      field = (int) (tag >>> 3);
      wireType = (int) (tag & 7);
      return true;
    }

    long number(int expectedWireType) {
      if (wireType != expectedWireType) {
        throw malformed();
      }
      return varint();
    }

    byte[] bytes() {
      if (wireType != LENGTH_DELIMITED) {
        throw malformed();
      }
      long length = varint();
      int from = at;
      advance(length);
      return Arrays.copyOfRange(in, from, at);
    }

    void skip() {
      switch (wireType) {
        case VARINT -> varint();
        case FIXED64 -> advance(8);
        case LENGTH_DELIMITED -> advance(varint());
        case FIXED32 -> advance(4);
        default -> throw malformed();
      }
    }

    private void advance(long bytes) {
      if (bytes < 0 || bytes > in.length - at) {
        throw malformed();
      }
      at += (int) bytes;
    }

    private long varint() {
      long value = 0;
      for (int shift = 0; shift < 64; shift += 7) {
        if (at == in.length) {
          throw malformed();
        }
        byte b = in[at++];
        value |= (long) (b & 0x7F) << shift;
        if (b >= 0) {
          return value;
        }
      }
      throw malformed();
    }

    private static IllegalArgumentException malformed() {
      return new IllegalArgumentException("malformed conf change");
    }
  }
}
