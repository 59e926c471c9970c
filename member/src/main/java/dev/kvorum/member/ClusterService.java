package dev.kvorum.member;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.etcdserverpb.Member;
import dev.kvorum.api.etcdserverpb.MemberListRequest;
import dev.kvorum.api.etcdserverpb.MemberListResponse;
import dev.kvorum.state.membership.MembershipView;
import java.util.function.Supplier;

/// The meaning of the Cluster RPCs: who the members are. Any thread.
public final class ClusterService {
  private final ReadIndex readIndex;
  private final Supplier<MembershipView> membership;
  private final Headers headers;

  ClusterService(ReadIndex readIndex, Supplier<MembershipView> membership, Headers headers) {
    this.readIndex = readIndex;
    this.membership = membership;
    this.headers = headers;
  }

  public void memberList(MemberListRequest request, Caller caller, Reply<Encoded> reply) {
    if (request.getLinearizable()) {
      readIndex.await(caller.home(), () -> reply.complete(members()), reply::refuse);
    } else {
      reply.complete(members());
    }
  }

  private Encoded members() {
    MemberListResponse.Builder answer = MemberListResponse.newBuilder().setHeader(headers.at(0));
    for (var member : membership.get().members()) {
      answer.addMembers(
          Member.newBuilder()
              .setID(member.id())
              .setName(member.name())
              .addAllPeerURLs(member.peerUrlsOrNone())
              .addAllClientURLs(member.clientUrls())
              .setIsLearner(member.isLearner()));
    }
    return Encoded.of(answer.build());
  }
}
