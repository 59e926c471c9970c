package dev.kvorum.wal;

import dev.kvorum.raft.Message;

/// raftpb.Message: what members send each other.
public final class MessageCodec {
  private MessageCodec() {}

  public static byte[] encode(Message message) {
    throw new UnsupportedOperationException("MessageCodec is being written");
  }

  public static Message decode(byte[] bytes) throws MalformedException {
    throw new UnsupportedOperationException("MessageCodec is being written");
  }
}
