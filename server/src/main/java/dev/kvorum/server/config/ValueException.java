package dev.kvorum.server.config;

/// A value an operator gave that cannot be what was asked for. The message is etcd's and meant for the operator.
public final class ValueException extends Exception {
  private static final long serialVersionUID = 1L;

  public ValueException(String message) {
    super(message);
  }
}
