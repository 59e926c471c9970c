package dev.kvorum.state;

import static dev.kvorum.api.ProtoReader.LENGTH_DELIMITED;
import static dev.kvorum.api.ProtoReader.VARINT;

import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.env.Bytes;
import dev.kvorum.state.Request.Op;
import java.util.ArrayList;
import java.util.List;

/// The bytes of the KV requests, which are the same on the client's wire and inside a log entry, by hand: they are what
/// a member decodes and encodes all day.
///
/// Where a message says a field twice, the last one holds (protobuf would merge repeated sub-messages). That is safe
/// because a proposer writes entries from the decoded request and never passes a client's bytes on: in the log, each
/// field stands once.
final class KvRequestCodec {
  /// Deeper nesting is refused: it could not pass a sane `max-txn-ops`, and must not reach the end of the stack.
  static final int TXN_DEPTH_MAX = 1_000;
  /// Stands for any number we do not know; all unknown numbers mean the same to every implementation.
  private static final int UNKNOWN_NUMBER = 15;

  private KvRequestCodec() {}

  static Request.Range range(ProtoReader in) throws WireFormatException {
    Bytes key = Bytes.EMPTY;
    Bytes rangeEnd = Bytes.EMPTY;
    long limit = 0;
    long revision = 0;
    int order = 0;
    int target = 0;
    boolean serializable = false;
    boolean keysOnly = false;
    boolean countOnly = false;
    long minMod = 0;
    long maxMod = 0;
    long minCreate = 0;
    long maxCreate = 0;
    for (int field = in.next(); field != 0; field = in.next()) {
      if (!in.is(field <= 2 ? LENGTH_DELIMITED : VARINT)) {
        in.skip();
        continue;
      }
      switch (field) {
        case 1 -> key = Bytes.wrap(in.bytes());
        case 2 -> rangeEnd = Bytes.wrap(in.bytes());
        case 3 -> limit = in.number();
        case 4 -> revision = in.number();
        case 5 -> order = in.enumNumber();
        case 6 -> target = in.enumNumber();
        case 7 -> serializable = in.flag();
        case 8 -> keysOnly = in.flag();
        case 9 -> countOnly = in.flag();
        case 10 -> minMod = in.number();
        case 11 -> maxMod = in.number();
        case 12 -> minCreate = in.number();
        case 13 -> maxCreate = in.number();
        default -> in.skip();
      }
    }
    return new Request.Range(
        key, rangeEnd, limit, revision, Request.SortOrder.of(order), Request.SortTarget.of(target),
        serializable, keysOnly, countOnly, minMod, maxMod, minCreate, maxCreate);
  }

  static void write(ProtoWriter out, Request.Range range) {
    out.bytes(1, range.key().array());
    out.bytes(2, range.rangeEnd().array());
    out.number(3, range.limit());
    out.number(4, range.revision());
    out.number(5, range.sortOrder() == Request.SortOrder.UNKNOWN ? UNKNOWN_NUMBER : range.sortOrder().ordinal());
    out.number(6, range.sortTarget() == Request.SortTarget.UNKNOWN ? UNKNOWN_NUMBER : range.sortTarget().ordinal());
    out.flag(7, range.serializable());
    out.flag(8, range.keysOnly());
    out.flag(9, range.countOnly());
    out.number(10, range.minModRevision());
    out.number(11, range.maxModRevision());
    out.number(12, range.minCreateRevision());
    out.number(13, range.maxCreateRevision());
  }

  static Request.Put put(ProtoReader in) throws WireFormatException {
    Bytes key = Bytes.EMPTY;
    Bytes value = Bytes.EMPTY;
    long lease = 0;
    boolean prevKv = false;
    boolean ignoreValue = false;
    boolean ignoreLease = false;
    for (int field = in.next(); field != 0; field = in.next()) {
      if (!in.is(field <= 2 ? LENGTH_DELIMITED : VARINT)) {
        in.skip();
        continue;
      }
      switch (field) {
        case 1 -> key = Bytes.wrap(in.bytes());
        case 2 -> value = Bytes.wrap(in.bytes());
        case 3 -> lease = in.number();
        case 4 -> prevKv = in.flag();
        case 5 -> ignoreValue = in.flag();
        case 6 -> ignoreLease = in.flag();
        default -> in.skip();
      }
    }
    return new Request.Put(key, value, lease, prevKv, ignoreValue, ignoreLease);
  }

  static void write(ProtoWriter out, Request.Put put) {
    out.bytes(1, put.key().array());
    out.bytes(2, put.value().array());
    out.number(3, put.lease());
    out.flag(4, put.prevKv());
    out.flag(5, put.ignoreValue());
    out.flag(6, put.ignoreLease());
  }

  static Request.DeleteRange deleteRange(ProtoReader in) throws WireFormatException {
    Bytes key = Bytes.EMPTY;
    Bytes rangeEnd = Bytes.EMPTY;
    boolean prevKv = false;
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field == 1 && in.is(LENGTH_DELIMITED)) {
        key = Bytes.wrap(in.bytes());
      } else if (field == 2 && in.is(LENGTH_DELIMITED)) {
        rangeEnd = Bytes.wrap(in.bytes());
      } else if (field == 3 && in.is(VARINT)) {
        prevKv = in.flag();
      } else {
        in.skip();
      }
    }
    return new Request.DeleteRange(key, rangeEnd, prevKv);
  }

  static void write(ProtoWriter out, Request.DeleteRange delete) {
    out.bytes(1, delete.key().array());
    out.bytes(2, delete.rangeEnd().array());
    out.flag(3, delete.prevKv());
  }

  static Request.Txn txn(ProtoReader in) throws WireFormatException {
    return txn(in, 0);
  }

  private static Request.Txn txn(ProtoReader in, int depth) throws WireFormatException {
    if (depth > TXN_DEPTH_MAX) {
      throw new WireFormatException("a txn is nested deeper than " + TXN_DEPTH_MAX);
    }
    List<Compare> compares = new ArrayList<>(4);
    List<Op> success = new ArrayList<>(4);
    List<Op> failure = new ArrayList<>(4);
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field > 3 || !in.is(LENGTH_DELIMITED)) {
        in.skip();
        continue;
      }
      int outer = in.enter();
      switch (field) {
        case 1 -> compares.add(compare(in));
        case 2 -> success.add(op(in, depth));
        default -> failure.add(op(in, depth));
      }
      in.leave(outer);
    }
    return new Request.Txn(compares, success, failure);
  }

  static void write(ProtoWriter out, Request.Txn txn) {
    for (Compare compare : txn.compares()) {
      int mark = out.open(1);
      write(out, compare);
      out.close(mark);
    }
    writeOps(out, 2, txn.success());
    writeOps(out, 3, txn.failure());
  }

  private static void writeOps(ProtoWriter out, int field, List<Op> ops) {
    for (Op op : ops) {
      int mark = out.open(field);
      write(out, op);
      out.close(mark);
    }
  }

  private static Op op(ProtoReader in, int depth) throws WireFormatException {
    Op op = Request.Unset.INSTANCE;
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field > 4 || !in.is(LENGTH_DELIMITED)) {
        in.skip();
        continue;
      }
      int outer = in.enter();
      op = switch (field) {
        case 1 -> range(in);
        case 2 -> put(in);
        case 3 -> deleteRange(in);
        default -> txn(in, depth + 1);
      };
      in.leave(outer);
    }
    return op;
  }

  private static void write(ProtoWriter out, Op op) {
    int mark;
    switch (op) {
      case Request.Range range -> {
        mark = out.open(1);
        write(out, range);
        out.close(mark);
      }
      case Request.Put put -> {
        mark = out.open(2);
        write(out, put);
        out.close(mark);
      }
      case Request.DeleteRange delete -> {
        mark = out.open(3);
        write(out, delete);
        out.close(mark);
      }
      case Request.Txn txn -> {
        mark = out.open(4);
        write(out, txn);
        out.close(mark);
      }
      case Request.Unset _ -> {}
    }
  }

  private static Compare compare(ProtoReader in) throws WireFormatException {
    int result = 0;
    int target = 0;
    Bytes key = Bytes.EMPTY;
    Bytes rangeEnd = Bytes.EMPTY;
    int operandField = 0;
    long number = 0;
    Bytes value = Bytes.EMPTY;
    for (int field = in.next(); field != 0; field = in.next()) {
      boolean isBytes = field == 3 || field == 7 || field == 64;
      if (!in.is(isBytes ? LENGTH_DELIMITED : VARINT)) {
        in.skip();
        continue;
      }
      switch (field) {
        case 1 -> result = in.enumNumber();
        case 2 -> target = in.enumNumber();
        case 3 -> key = Bytes.wrap(in.bytes());
        case 4, 5, 6, 8 -> {
          operandField = field;
          number = in.number();
        }
        case 7 -> {
          operandField = field;
          value = Bytes.wrap(in.bytes());
        }
        case 64 -> rangeEnd = Bytes.wrap(in.bytes());
        default -> in.skip();
      }
    }
    Compare.Target known = Compare.Target.of(target);
    boolean matches = operandField == operandField(known);
    return new Compare(
        Compare.Result.of(result), known, key, rangeEnd,
        matches && operandField != 7 ? number : 0,
        matches && operandField == 7 ? value : Bytes.EMPTY);
  }

  private static void write(ProtoWriter out, Compare compare) {
    out.number(1, compare.result() == Compare.Result.UNKNOWN ? UNKNOWN_NUMBER : compare.result().ordinal());
    out.number(2, compare.target() == Compare.Target.UNKNOWN ? UNKNOWN_NUMBER : compare.target().ordinal());
    out.bytes(3, compare.key().array());
    switch (compare.target()) {
      case VALUE -> out.bytesAlways(7, compare.value().array(), 0, compare.value().size());
      case VERSION, CREATE, MOD, LEASE -> out.numberAlways(operandField(compare.target()), compare.number());
      case UNKNOWN -> {}
    }
    out.bytes(64, compare.rangeEnd().array());
  }

  /// The field of the operand that belongs to `target`; a request may bring another one, which then counts for nothing.
  private static int operandField(Compare.Target target) {
    return switch (target) {
      case VERSION -> 4;
      case CREATE -> 5;
      case MOD -> 6;
      case VALUE -> 7;
      case LEASE -> 8;
      case UNKNOWN -> -1;
    };
  }
}
