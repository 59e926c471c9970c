package dev.kvorum.member;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.member.peer.PeerCall;
import dev.kvorum.member.peer.PeerService;
import dev.kvorum.raft.Message;
import dev.kvorum.state.keys.KvHash;
import dev.kvorum.state.keys.KvView;
import dev.kvorum.state.schema.Version;
import dev.kvorum.wal.SnapStore;
import java.io.IOException;
import java.util.List;

/// What the others may do with this member. Any thread.
final class Peers implements PeerService {
  private final Member member;
  private final RaftLoop raftLoop;
  private final LeaseService leases;
  private final ClusterService cluster;
  private final SnapStore snapStore;
  private final SnapshotSending sending;

  Peers(
      Member member,
      RaftLoop raftLoop,
      LeaseService leases,
      ClusterService cluster,
      SnapStore snapStore,
      SnapshotSending sending) {
    this.member = member;
    this.raftLoop = raftLoop;
    this.leases = leases;
    this.cluster = cluster;
    this.snapStore = snapStore;
    this.sending = sending;
  }

  @Override
  public long memberId() {
    return member.memberId();
  }

  @Override
  public long clusterId() {
    return member.clusterId();
  }

  @Override
  public boolean isRemoved(long id) {
    return member.membership().isRemoved(id);
  }

  @Override
  public void receive(Message message) {
    if (message.to() == memberId() && !isRemoved(message.from())) {
      raftLoop.receive(message);
    }
  }

  @Override
  public SnapStore.Receipt receiveDatabase(long index) throws IOException {
    return snapStore.receiveDatabase(index);
  }

  @Override
  public void unreachable(long id) {
    raftLoop.unreachable(id);
  }

  @Override
  public void snapshotSent(long id, boolean success) {
    raftLoop.snapshotSent(id, success);
    sending.ended(success);
  }

  @Override
  @SuppressWarnings("unchecked") // each call's answer is of the type its record names
  public <A> void serve(PeerCall<A> call, Reply<A> reply) {
    switch (call) {
      case PeerCall.RenewLease renew -> leases.renewForPeer(renew.id(), (Reply<Long>) reply);
      case PeerCall.LeaseTimeToLive asked -> leases.timeToLiveForPeer(asked, (Reply<PeerCall.LeaseTimes>) reply);
      case PeerCall.PromoteMember promote ->
          cluster.promoteHere(promote.id(), (Reply<List<dev.kvorum.state.membership.Member>>) reply);
      case PeerCall.Versions _ -> ((Reply<PeerCall.ServerVersions>) reply).complete(versions());
      case PeerCall.HashKv asked -> hash(asked.revision(), (Reply<PeerCall.KeyHash>) reply);
    }
  }

  private PeerCall.ServerVersions versions() {
    Version server = Version.parse(member.config().serverVersion());
    return new PeerCall.ServerVersions(
        server == null ? Version.SERVER : server, member.membership().clusterVersion());
  }

  private void hash(long revision, Reply<PeerCall.KeyHash> reply) {
    try (KvView view = member.view()) {
      KvHash hash = view.hashByRevision(revision);
      reply.complete(
          new PeerCall.KeyHash(view.currentRevision(), hash.hash(), hash.compactRevision(), hash.revision()));
    } catch (EtcdException refusal) {
      reply.refuse(refusal);
    } catch (IOException e) {
      reply.refuse(KvService.damaged(e));
    } catch (IllegalStateException stopped) {
      reply.refuse(EtcdException.of(EtcdError.STOPPED));
    }
  }
}
