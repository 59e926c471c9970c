package dev.kvorum.state.schema;

/// A file's version from which, or to which, there is no way. The texts are etcd's.
public final class SchemaException extends Exception {
  private static final long serialVersionUID = 1L;

  public SchemaException(String message) {
    super(message);
  }
}
