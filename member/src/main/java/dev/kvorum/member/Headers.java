package dev.kvorum.member;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.api.etcdserverpb.ResponseHeader;
import dev.kvorum.state.ApplyOutcome;
import dev.kvorum.state.ResponseCodec;
import java.util.Objects;
import java.util.function.LongSupplier;

/// Makes the header of every answer: who answers, in which term, at which revision.
///
/// @param term the current raft term, safe to ask from any thread
public record Headers(long clusterId, long memberId, LongSupplier term) {
  public ResponseHeader at(long revision) {
    return ResponseHeader.newBuilder()
        .setClusterId(clusterId)
        .setMemberId(memberId)
        .setRaftTerm(term.getAsLong())
        .setRevision(revision)
        .build();
  }

  /// The same for [ResponseCodec].
  public ResponseCodec.Responder responder() {
    return new ResponseCodec.Responder(clusterId, memberId, term.getAsLong());
  }

  /// Tells whoever proposed an entry what applying it came to.
  void answer(ApplyOutcome outcome, Reply<Encoded> reply) {
    EtcdException refusal = outcome.refusal();
    if (refusal != null) {
      reply.refuse(refusal);
    } else {
      reply.complete(ResponseCodec.encode(Objects.requireNonNull(outcome.response()), responder()));
    }
  }

  /// Writes the header as sub-message `field` of the message being written.
  public void write(ProtoWriter out, int field, long revision) {
    int mark = out.open(field);
    out.number(ResponseHeader.CLUSTER_ID_FIELD_NUMBER, clusterId);
    out.number(ResponseHeader.MEMBER_ID_FIELD_NUMBER, memberId);
    out.number(ResponseHeader.REVISION_FIELD_NUMBER, revision);
    out.number(ResponseHeader.RAFT_TERM_FIELD_NUMBER, term.getAsLong());
    out.close(mark);
  }
}
