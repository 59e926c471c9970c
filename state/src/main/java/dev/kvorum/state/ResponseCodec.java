package dev.kvorum.state;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.state.alarm.AlarmMember;
import java.util.List;

/// Answers as etcd's response messages, by hand: stored key values go out as the bytes they are.
///
/// Headers of answers inside a txn hold the revision alone, and a nested txn's holds nothing (`api.md` §2.2).
public final class ResponseCodec {
  private static final int HEADER = 1;
  /// An answer without key values fits.
  private static final int SMALL_BYTES = 96;

  private ResponseCodec() {}

  /// Who answers: the fields of every answer's header that are not the revision.
  ///
  /// @param raftTerm the answering member's current term
  public record Responder(long clusterId, long memberId, long raftTerm) {}

  public static Encoded encode(Response response, Responder responder) {
    ProtoWriter out = new ProtoWriter(SMALL_BYTES);
    header(out, responder, response.revision());
    switch (response) {
      case Response.Range range -> body(out, range);
      case Response.Put put -> body(out, put);
      case Response.DeleteRange delete -> body(out, delete);
      case Response.Txn txn -> body(out, txn);
      case Response.LeaseGrant grant -> {
        out.number(2, grant.id());
        out.number(3, grant.ttlSeconds());
      }
      case Response.Alarm alarm -> alarms(out, alarm.alarms());
      case Response.Compact _, Response.LeaseRevoke _, Response.LeaseCheckpoint _, Response.Done _ -> {}
    }
    return out.finish();
  }

  /// Writes a `ResponseHeader` as field 1 of the message being written.
  public static void header(ProtoWriter out, Responder responder, long revision) {
    int mark = out.open(HEADER);
    out.number(1, responder.clusterId());
    out.number(2, responder.memberId());
    out.number(3, revision);
    out.number(4, responder.raftTerm());
    out.close(mark);
  }

  private static void body(ProtoWriter out, Response.Range range) {
    keyValues(out, 2, range.kvs());
    out.flag(3, range.more());
    out.number(4, range.count());
  }

  private static void body(ProtoWriter out, Response.Put put) {
    if (put.prevKv() != null) {
      out.splice(2, put.prevKv());
    }
  }

  private static void body(ProtoWriter out, Response.DeleteRange delete) {
    out.number(2, delete.deleted());
    keyValues(out, 3, delete.prevKvs());
  }

  private static void body(ProtoWriter out, Response.Txn txn) {
    out.flag(2, txn.succeeded());
    for (Response.Op op : txn.responses()) {
      int mark = out.open(3);
      op(out, op);
      out.close(mark);
    }
  }

  private static void op(ProtoWriter out, Response.Op op) {
    switch (op) {
      case Response.Range range -> {
        int mark = out.open(1);
        nestedHeader(out, range.revision());
        body(out, range);
        out.close(mark);
      }
      case Response.Put put -> {
        int mark = out.open(2);
        nestedHeader(out, put.revision());
        body(out, put);
        out.close(mark);
      }
      case Response.DeleteRange delete -> {
        int mark = out.open(3);
        nestedHeader(out, delete.revision());
        body(out, delete);
        out.close(mark);
      }
      case Response.Txn txn -> {
        int mark = out.open(4);
        nestedHeader(out, 0);
        body(out, txn);
        out.close(mark);
      }
      case Response.Nothing _ -> {}
    }
  }

  private static void nestedHeader(ProtoWriter out, long revision) {
    int mark = out.open(HEADER);
    out.number(3, revision);
    out.close(mark);
  }

  private static void keyValues(ProtoWriter out, int field, byte[][] kvs) {
    for (byte[] kv : kvs) {
      out.splice(field, kv);
    }
  }

  private static void alarms(ProtoWriter out, List<AlarmMember> alarms) {
    for (AlarmMember alarm : alarms) {
      int mark = out.open(2);
      out.number(1, alarm.memberId());
      out.number(2, alarm.type().number());
      out.close(mark);
    }
  }
}
