package dev.kvorum.member;

import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.member.peer.PeerCall;
import dev.kvorum.member.peer.PeerLinks;
import dev.kvorum.member.peer.PeerService;
import dev.kvorum.raft.Message;
import dev.kvorum.state.backend.BackendSnapshot;
import dev.kvorum.state.membership.MembershipView;
import dev.kvorum.wal.SnapStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Members of one process that reach each other by calling: a network that loses nothing, unless somebody is cut off.
final class LiveLinks {
  private final Map<Long, PeerService> members = new ConcurrentHashMap<>();
  private final Set<Long> cut = ConcurrentHashMap.newKeySet();

  /// From now on nothing reaches `member`, nor leaves it.
  void cutOff(long member) {
    cut.add(member);
  }

  void heal() {
    cut.clear();
  }

  PeerLinks of(long self) {
    return new Links(self);
  }

  private boolean connects(long from, long to) {
    return members.containsKey(from) && members.containsKey(to) && !cut.contains(from) && !cut.contains(to);
  }

  private final class Links implements PeerLinks {
    private final long self;
    private final Map<Long, Long> since = new ConcurrentHashMap<>();

    Links(long self) {
      this.self = self;
    }

    @Override
    public void start(PeerService local) {
      members.put(self, local);
    }

    @Override
    public void members(MembershipView view) {}

    @Override
    public void send(Message message) {
      if (connects(self, message.to())) {
        members.get(message.to()).receive(message);
      } else {
        members.get(self).unreachable(message.to());
      }
    }

    @Override
    public void sendSnapshot(Message.InstallSnapshot message, BackendSnapshot database) {
      Thread.ofVirtual().start(() -> transfer(message, database));
    }

    private void transfer(Message.InstallSnapshot message, BackendSnapshot database) {
      boolean success = false;
      try (database) {
        if (connects(self, message.to())) {
          PeerService target = members.get(message.to());
          try (SnapStore.Receipt receipt = target.receiveDatabase(message.snapshot().index())) {
            ByteBuffer chunk = ByteBuffer.allocate(64 << 10);
            while (database.read(chunk.clear()) >= 0) {
              receipt.write(chunk.flip());
            }
            receipt.keep();
          }
          target.receive(message);
          success = true;
        }
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      } finally {
        members.get(self).snapshotSent(message.to(), success);
      }
    }

    @Override
    public long activeSinceNanos(long member) {
      if (!connects(self, member)) {
        since.remove(member);
        return INACTIVE;
      }
      return since.computeIfAbsent(member, first -> System.nanoTime());
    }

    @Override
    public <A> void call(long member, PeerCall<A> call, long timeoutNanos, Reply<A> reply) {
      if (connects(self, member)) {
        members.get(member).serve(call, reply);
      } else {
        reply.refuse(EtcdException.of(GrpcCode.UNAVAILABLE, "out of reach"));
      }
    }

    @Override
    public void stop() {
      members.remove(self);
    }
  }
}
