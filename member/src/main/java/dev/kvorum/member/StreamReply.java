package dev.kvorum.member;

import dev.kvorum.api.EtcdException;

/// Where the answers of a server stream go. [#next] any number of times from one thread at a time, then one of the
/// other two. The producer sends only while [#isReady], and is called back by `onReady` when that turns true again.
public interface StreamReply<T> {
  void next(T answer);

  /// False while the peer reads slower than we send, and for ever once it is gone.
  boolean isReady();

  /// True once the peer has gone; nothing more will be delivered.
  boolean isCancelled();

  /// Sets what to call whenever the stream turns ready, and when it is cancelled. Called on the connection's loop.
  void onReady(Runnable callback);

  void complete();

  void refuse(EtcdException why);
}
