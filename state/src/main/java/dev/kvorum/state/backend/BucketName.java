package dev.kvorum.state.backend;

import dev.kvorum.env.Bytes;

/// The buckets of etcd's schema, in the order they lie in the file (by name, bytewise). All exist in every file we
/// opened for writing: etcd's ranged reads of a missing one are fatal.
///
/// Source: backend-schema §1.
public enum BucketName {
  ALARM("alarm"),
  AUTH("auth"),
  AUTH_ROLES("authRoles"),
  AUTH_USERS("authUsers"),
  CLUSTER("cluster"),
  /// Revision → key value. Written by the key store only.
  KEY("key"),
  LEASE("lease"),
  MEMBERS("members"),
  MEMBERS_REMOVED("members_removed"),
  META("meta");

  private final String text;
  private final byte[] bytes;

  BucketName(String text) {
    this.text = text;
    this.bytes = Bytes.utf8(text).array();
  }

  public String text() {
    return text;
  }

  byte[] bytes() {
    return bytes;
  }
}
