package dev.kvorum.state;

import static dev.kvorum.api.ProtoReader.LENGTH_DELIMITED;
import static dev.kvorum.api.ProtoReader.VARINT;
import static dev.kvorum.api.ProtoWriter.bytesAlwaysSize;
import static dev.kvorum.api.ProtoWriter.bytesSize;
import static dev.kvorum.api.ProtoWriter.flagSize;
import static dev.kvorum.api.ProtoWriter.numberSize;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvorum.api.ProtoReader;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.api.etcdserverpb.InternalRaftRequest;
import dev.kvorum.env.Bytes;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Log entries' data: etcd's `InternalRaftRequest`, both ways. What it writes, etcd applies, and the reverse.
///
/// KV requests go by hand (see [KvRequestCodec]), a [Request.Put] as one exactly sized array; all others through the
/// generated classes. The output is canonical: fields ascending, defaults left out, no unknown fields. A proposer must
/// propose what this writes and never a client's own bytes, so that nothing two decoders might read differently ever
/// enters the log.
///
/// Source: etcd `api/etcdserverpb/raft_internal.proto`, `apply-semantics.md` §1.
public final class RequestCodec {
  static final int LEGACY_ID = 1;
  static final int RANGE = 3;
  static final int PUT = 4;
  static final int DELETE_RANGE = 5;
  static final int TXN = 6;
  static final int HEADER = 100;

  /// What the tags and lengths of a put and its header take at most.
  private static final int PUT_OVERHEAD_BYTES = 96;

  private RequestCodec() {}

  /// The data of a log entry.
  public static byte[] encode(RequestHeader header, Request request) {
    return switch (request) {
      case Request.Put put -> put(header, put);
      case Request.Range range -> {
        ProtoWriter out = new ProtoWriter(range.key().size() + range.rangeEnd().size() + PUT_OVERHEAD_BYTES);
        int mark = out.open(RANGE);
        KvRequestCodec.write(out, range);
        out.close(mark);
        yield finish(out, header);
      }
      case Request.DeleteRange delete -> {
        ProtoWriter out = new ProtoWriter(delete.key().size() + delete.rangeEnd().size() + PUT_OVERHEAD_BYTES);
        int mark = out.open(DELETE_RANGE);
        KvRequestCodec.write(out, delete);
        out.close(mark);
        yield finish(out, header);
      }
      case Request.Txn txn -> {
        ProtoWriter out = new ProtoWriter(512);
        int mark = out.open(TXN);
        KvRequestCodec.write(out, txn);
        out.close(mark);
        yield finish(out, header);
      }
      default -> GeneratedRequests.message(header, request).toByteArray();
    };
  }

  /// Reads the data of a normal, non-empty log entry.
  ///
  /// @throws WireFormatException when it is no `InternalRaftRequest`, has no id, or asks for nothing we know; for a
  ///     committed entry that is reason to stop (etcd panics)
  public static Proposal decode(byte[] data) throws WireFormatException {
    ProtoReader in = new ProtoReader(data);
    RequestHeader header = null;
    Request request = null;
    int requestField = Integer.MAX_VALUE;
    long legacyId = 0;
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field == LEGACY_ID && in.is(VARINT)) {
        legacyId = in.number();
      } else if (field == HEADER && in.is(LENGTH_DELIMITED)) {
        int outer = in.enter();
        header = header(in);
        in.leave(outer);
      } else if (field >= RANGE && field <= TXN && in.is(LENGTH_DELIMITED)) {
        int outer = in.enter();
        Request read = kvRequest(in, field);
        in.leave(outer);
        if (field <= requestField) {
          request = read;
          requestField = field;
        }
      } else if (InternalRaftRequest.getDescriptor().findFieldByNumber(field) != null) {
        return decodeGenerated(data);
      } else {
        in.skip();
      }
    }
    if (request == null) {
      throw new WireFormatException("an entry asks for nothing known");
    }
    return new Proposal(withId(header, legacyId), request);
  }

  /// The bytes of a client's `RangeRequest`.
  public static Request.Range decodeRange(byte[] message) throws WireFormatException {
    return KvRequestCodec.range(new ProtoReader(message));
  }

  /// The bytes of a client's `PutRequest`.
  public static Request.Put decodePut(byte[] message) throws WireFormatException {
    return KvRequestCodec.put(new ProtoReader(message));
  }

  /// The bytes of a client's `DeleteRangeRequest`.
  public static Request.DeleteRange decodeDeleteRange(byte[] message) throws WireFormatException {
    return KvRequestCodec.deleteRange(new ProtoReader(message));
  }

  /// The bytes of a client's `TxnRequest`.
  public static Request.Txn decodeTxn(byte[] message) throws WireFormatException {
    return KvRequestCodec.txn(new ProtoReader(message));
  }

  private static Request kvRequest(ProtoReader in, int field) throws WireFormatException {
    return switch (field) {
      case RANGE -> KvRequestCodec.range(in);
      case PUT -> KvRequestCodec.put(in);
      case DELETE_RANGE -> KvRequestCodec.deleteRange(in);
      default -> KvRequestCodec.txn(in);
    };
  }

  private static RequestHeader header(ProtoReader in) throws WireFormatException {
    long id = 0;
    String username = "";
    long authRevision = 0;
    for (int field = in.next(); field != 0; field = in.next()) {
      if (field == 1 && in.is(VARINT)) {
        id = in.number();
      } else if (field == 2 && in.is(LENGTH_DELIMITED)) {
        username = in.text();
      } else if (field == 3 && in.is(VARINT)) {
        authRevision = in.number();
      } else {
        in.skip();
      }
    }
    return new RequestHeader(id, username, authRevision);
  }

  private static Proposal decodeGenerated(byte[] data) throws WireFormatException {
    try {
      InternalRaftRequest message = InternalRaftRequest.parseFrom(data);
      RequestHeader header = message.hasHeader() ? GeneratedRequests.header(message.getHeader()) : null;
      return new Proposal(withId(header, message.getID()), GeneratedRequests.request(message));
    } catch (InvalidProtocolBufferException e) {
      throw new WireFormatException("an entry is no InternalRaftRequest: " + e.getMessage());
    }
  }

  /// The id of old entries stands outside the header, and wins where both are given.
  private static RequestHeader withId(@Nullable RequestHeader header, long legacyId) throws WireFormatException {
    if (header == null && legacyId == 0) {
      throw new WireFormatException("an entry has neither an id nor a header");
    }
    if (header == null) {
      return RequestHeader.of(legacyId);
    }
    return legacyId == 0 ? header : new RequestHeader(legacyId, header.username(), header.authRevision());
  }

  private static byte[] finish(ProtoWriter out, RequestHeader header) {
    int mark = out.open(HEADER);
    out.number(1, header.id());
    out.text(2, header.username());
    out.number(3, header.authRevision());
    out.close(mark);
    return out.toByteArray();
  }

  /// A put, measured first and then written into one array of that size: no growing, moving or copying.
  private static byte[] put(RequestHeader header, Request.Put put) {
    byte[] username =
        header.username().isEmpty() ? Bytes.EMPTY.array() : header.username().getBytes(StandardCharsets.UTF_8);
    int putSize = bytesSize(1, put.key().size()) + bytesSize(2, put.value().size()) + numberSize(3, put.lease())
        + flagSize(4, put.prevKv()) + flagSize(5, put.ignoreValue()) + flagSize(6, put.ignoreLease());
    int headerSize = numberSize(1, header.id()) + bytesSize(2, username.length) + numberSize(3, header.authRevision());
    ProtoWriter out = ProtoWriter.measured(bytesAlwaysSize(PUT, putSize) + bytesAlwaysSize(HEADER, headerSize));
    out.head(PUT, putSize);
    KvRequestCodec.write(out, put);
    out.head(HEADER, headerSize);
    out.number(1, header.id());
    out.bytes(2, username);
    out.number(3, header.authRevision());
    return out.toByteArray();
  }
}
