package dev.kvorum.member;

import dev.kvorum.api.EtcdException;

/// Where the one answer to a request goes. Exactly one of the two is called, once, from any thread; neither blocks.
public interface Reply<T> {
  void complete(T answer);

  void refuse(EtcdException why);
}
