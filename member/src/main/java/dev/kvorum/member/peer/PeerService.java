package dev.kvorum.member.peer;

import dev.kvorum.member.Reply;
import dev.kvorum.raft.Message;
import dev.kvorum.wal.SnapStore;
import java.io.IOException;

/// What other members may do with this one: the way in for [PeerLinks]. Any thread; nothing blocks but the receipt of a
/// database, which writes to disk.
public interface PeerService {
  long memberId();

  long clusterId();

  /// Whether `member` was removed from the cluster for good: it may be told so, and must not be listened to.
  boolean isRemoved(long member);

  /// A message from another member. When this one has too much to do the message is dropped.
  ///
  /// A [Message.InstallSnapshot] counts only once its database has been kept ([#receiveDatabase]).
  void receive(Message message);

  /// Begins to receive the database that belongs to a snapshot at `index`. The caller writes and keeps it, then passes
  /// the message to [#receive].
  SnapStore.Receipt receiveDatabase(long index) throws IOException;

  /// Messages for `member` were lost.
  void unreachable(long member);

  /// How sending a snapshot to `member` ended.
  void snapshotSent(long member, boolean success);

  /// Another member asks.
  <A> void serve(PeerCall<A> call, Reply<A> reply);
}
