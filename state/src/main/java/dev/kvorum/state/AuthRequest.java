package dev.kvorum.state;

import dev.kvorum.env.Bytes;
import org.jspecify.annotations.Nullable;

/// What a log entry asks about users, roles and permissions. Decoded and encoded in full; [Applier] refuses it until
/// authentication is built.
public sealed interface AuthRequest extends Request {

  record Enable() implements AuthRequest {}

  record Disable() implements AuthRequest {}

  record Status() implements AuthRequest {}

  /// @param password empty in a proposal: it was checked before
  /// @param simpleToken the random part of the token, drawn by the proposer so that all members assign the same
  record Authenticate(String name, String password, String simpleToken) implements AuthRequest {}

  /// @param password empty in a proposal
  /// @param options null when the request had none
  /// @param hashedPassword base64 of the bcrypt hash the proposer made
  record UserAdd(String name, String password, @Nullable Options options, String hashedPassword)
      implements AuthRequest {
    public record Options(boolean noPassword) {}
  }

  record UserDelete(String name) implements AuthRequest {}

  record UserGet(String name) implements AuthRequest {}

  /// @param password empty in a proposal
  record UserChangePassword(String name, String password, String hashedPassword) implements AuthRequest {}

  record UserGrantRole(String user, String role) implements AuthRequest {}

  record UserRevokeRole(String name, String role) implements AuthRequest {}

  record UserList() implements AuthRequest {}

  record RoleList() implements AuthRequest {}

  record RoleAdd(String name) implements AuthRequest {}

  record RoleDelete(String role) implements AuthRequest {}

  record RoleGet(String role) implements AuthRequest {}

  /// @param permission null when the request brought none, which is refused
  record RoleGrantPermission(String name, @Nullable Permission permission)
      implements AuthRequest {}

  record RoleRevokePermission(String role, Bytes key, Bytes rangeEnd) implements AuthRequest {}

  /// @param type etcd's number: 0 read, 1 write, 2 both
  /// @param rangeEnd as in [Request.Range]
  record Permission(int type, Bytes key, Bytes rangeEnd) {}
}
