package dev.kvorum.state;

import dev.kvorum.api.WireFormatException;
import dev.kvorum.api.etcdserverpb.AlarmRequest;
import dev.kvorum.api.etcdserverpb.CompactionRequest;
import dev.kvorum.api.etcdserverpb.DeleteRangeRequest;
import dev.kvorum.api.etcdserverpb.LeaseGrantRequest;
import dev.kvorum.api.etcdserverpb.LeaseRevokeRequest;
import dev.kvorum.api.etcdserverpb.PutRequest;
import dev.kvorum.api.etcdserverpb.RangeRequest;
import dev.kvorum.api.etcdserverpb.TxnRequest;
import dev.kvorum.env.Invariant;

/// A client's messages as requests, for callers that hold generated classes (the JSON gateway). Those that hold bytes
/// use [RequestCodec], which is faster.
public final class RpcRequests {
  private RpcRequests() {}

  public static Request.Range of(RangeRequest message) {
    return reading(() -> RequestCodec.decodeRange(message.toByteArray()));
  }

  public static Request.Put of(PutRequest message) {
    return reading(() -> RequestCodec.decodePut(message.toByteArray()));
  }

  public static Request.DeleteRange of(DeleteRangeRequest message) {
    return reading(() -> RequestCodec.decodeDeleteRange(message.toByteArray()));
  }

  public static Request.Txn of(TxnRequest message) {
    return reading(() -> RequestCodec.decodeTxn(message.toByteArray()));
  }

  public static Request.Compact of(CompactionRequest message) {
    return new Request.Compact(message.getRevision(), message.getPhysical());
  }

  /// @param id the id to grant: the client's, or one drawn for it when that is 0
  public static Request.LeaseGrant of(LeaseGrantRequest message, long id) {
    return new Request.LeaseGrant(message.getTTL(), id);
  }

  public static Request.LeaseRevoke of(LeaseRevokeRequest message) {
    return new Request.LeaseRevoke(message.getID());
  }

  public static Request.Alarm of(AlarmRequest message) {
    return GeneratedRequests.alarm(message);
  }

  @FunctionalInterface
  private interface Reading<T> {
    T read() throws WireFormatException;
  }

  private static <T> T reading(Reading<T> reading) {
    try {
      return reading.read();
    } catch (WireFormatException e) {
      // Generated classes refuse nesting far below our own bound.
      throw Invariant.unreachable("what protobuf wrote cannot be read: " + e.getMessage());
    }
  }
}
