package dev.kvorum.state;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.kvorum.api.WireFormatException;
import dev.kvorum.api.authpb.Permission;
import dev.kvorum.api.authpb.UserAddOptions;
import dev.kvorum.api.etcdserverpb.AlarmRequest;
import dev.kvorum.api.etcdserverpb.AuthDisableRequest;
import dev.kvorum.api.etcdserverpb.AuthEnableRequest;
import dev.kvorum.api.etcdserverpb.AuthRoleGrantPermissionRequest;
import dev.kvorum.api.etcdserverpb.AuthRoleListRequest;
import dev.kvorum.api.etcdserverpb.AuthStatusRequest;
import dev.kvorum.api.etcdserverpb.AuthUserAddRequest;
import dev.kvorum.api.etcdserverpb.AuthUserListRequest;
import dev.kvorum.api.etcdserverpb.InternalRaftRequest;
import dev.kvorum.api.etcdserverpb.LeaseCheckpoint;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Invariant;
import dev.kvorum.state.alarm.AlarmType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The requests that are not KV, through protobuf's generated classes: rare, so plain.
final class GeneratedRequests {
  private GeneratedRequests() {}

  static RequestHeader header(dev.kvorum.api.etcdserverpb.RequestHeader header) {
    return new RequestHeader(header.getID(), header.getUsername(), header.getAuthRevision());
  }

  static InternalRaftRequest message(RequestHeader header, Request request) {
    InternalRaftRequest.Builder out = InternalRaftRequest.newBuilder();
    out.getHeaderBuilder().setID(header.id()).setUsername(header.username()).setAuthRevision(header.authRevision());
    switch (request) {
      case Request.Compact compact ->
        out.getCompactionBuilder().setRevision(compact.revision()).setPhysical(compact.physical());
      case Request.LeaseGrant grant -> out.getLeaseGrantBuilder().setTTL(grant.ttl()).setID(grant.id());
      case Request.LeaseRevoke revoke -> out.getLeaseRevokeBuilder().setID(revoke.id());
      case Request.LeaseCheckpoint checkpoint -> {
        var builder = out.getLeaseCheckpointBuilder();
        checkpoint.checkpoints().forEach(
            c -> builder.addCheckpointsBuilder().setID(c.id()).setRemainingTTL(c.remainingTtl()));
      }
      case Request.Alarm alarm ->
        out.getAlarmBuilder()
            .setActionValue(alarm.action() == Request.Alarm.Action.UNKNOWN ? 15 : alarm.action().ordinal())
            .setMemberID(alarm.memberId())
            .setAlarmValue(alarm.type().number());
      case Request.ClusterVersionSet set -> out.getClusterVersionSetBuilder().setVer(set.version());
      case Request.MemberAttributesSet set ->
        out.getClusterMemberAttrSetBuilder()
            .setMemberID(set.memberId())
            .getMemberAttributesBuilder()
            .setName(set.name())
            .addAllClientUrls(set.clientUrls());
      case Request.DowngradeInfoSet set ->
        out.getDowngradeInfoSetBuilder().setEnabled(set.enabled()).setVer(set.version());
      case Request.DowngradeVersionTest test -> out.getDowngradeVersionTestBuilder().setVer(test.version());
      case AuthRequest auth -> setAuth(out, auth);
      case Request.Range _, Request.Put _, Request.DeleteRange _, Request.Txn _ ->
        throw Invariant.unreachable("KV requests are encoded by hand");
    }
    return out.build();
  }

  private static void setAuth(InternalRaftRequest.Builder out, AuthRequest request) {
    switch (request) {
      case AuthRequest.Enable _ -> out.setAuthEnable(AuthEnableRequest.getDefaultInstance());
      case AuthRequest.Disable _ -> out.setAuthDisable(AuthDisableRequest.getDefaultInstance());
      case AuthRequest.Status _ -> out.setAuthStatus(AuthStatusRequest.getDefaultInstance());
      case AuthRequest.Authenticate a ->
        out.getAuthenticateBuilder().setName(a.name()).setPassword(a.password()).setSimpleToken(a.simpleToken());
      case AuthRequest.UserAdd a -> {
        AuthUserAddRequest.Builder builder = out.getAuthUserAddBuilder();
        builder.setName(a.name()).setPassword(a.password()).setHashedPassword(a.hashedPassword());
        if (a.options() != null) {
          builder.setOptions(UserAddOptions.newBuilder().setNoPassword(a.options().noPassword()));
        }
      }
      case AuthRequest.UserDelete a -> out.getAuthUserDeleteBuilder().setName(a.name());
      case AuthRequest.UserGet a -> out.getAuthUserGetBuilder().setName(a.name());
      case AuthRequest.UserChangePassword a ->
        out.getAuthUserChangePasswordBuilder()
            .setName(a.name())
            .setPassword(a.password())
            .setHashedPassword(a.hashedPassword());
      case AuthRequest.UserGrantRole a -> out.getAuthUserGrantRoleBuilder().setUser(a.user()).setRole(a.role());
      case AuthRequest.UserRevokeRole a -> out.getAuthUserRevokeRoleBuilder().setName(a.name()).setRole(a.role());
      case AuthRequest.UserList _ -> out.setAuthUserList(AuthUserListRequest.getDefaultInstance());
      case AuthRequest.RoleList _ -> out.setAuthRoleList(AuthRoleListRequest.getDefaultInstance());
      case AuthRequest.RoleAdd a -> out.getAuthRoleAddBuilder().setName(a.name());
      case AuthRequest.RoleDelete a -> out.getAuthRoleDeleteBuilder().setRole(a.role());
      case AuthRequest.RoleGet a -> out.getAuthRoleGetBuilder().setRole(a.role());
      case AuthRequest.RoleGrantPermission a -> {
        AuthRoleGrantPermissionRequest.Builder builder = out.getAuthRoleGrantPermissionBuilder().setName(a.name());
        if (a.permission() != null) {
          builder.getPermBuilder()
              .setPermTypeValue(a.permission().type())
              .setKey(wrap(a.permission().key()))
              .setRangeEnd(wrap(a.permission().rangeEnd()));
        }
      }
      case AuthRequest.RoleRevokePermission a ->
        out.getAuthRoleRevokePermissionBuilder()
            .setRole(a.role())
            .setKey(wrap(a.key()))
            .setRangeEnd(wrap(a.rangeEnd()));
    }
  }

  /// The one request an entry carries; where an entry carried several, the one etcd would dispatch.
  static Request request(InternalRaftRequest in) throws WireFormatException {
    Request clusterWide = clusterRequest(in);
    if (clusterWide != null) {
      return clusterWide;
    }
    // KV requests beside another operation: only reached for entries nobody writes, but the order is etcd's.
    if (in.hasRange()) {
      return RequestCodec.decodeRange(in.getRange().toByteArray());
    } else if (in.hasPut()) {
      return RequestCodec.decodePut(in.getPut().toByteArray());
    } else if (in.hasDeleteRange()) {
      return RequestCodec.decodeDeleteRange(in.getDeleteRange().toByteArray());
    } else if (in.hasTxn()) {
      return RequestCodec.decodeTxn(in.getTxn().toByteArray());
    } else if (in.hasCompaction()) {
      return new Request.Compact(in.getCompaction().getRevision(), in.getCompaction().getPhysical());
    } else if (in.hasLeaseGrant()) {
      return new Request.LeaseGrant(in.getLeaseGrant().getTTL(), in.getLeaseGrant().getID());
    } else if (in.hasLeaseRevoke()) {
      return new Request.LeaseRevoke(in.getLeaseRevoke().getID());
    } else if (in.hasLeaseCheckpoint()) {
      return checkpoint(in.getLeaseCheckpoint().getCheckpointsList());
    } else if (in.hasAlarm()) {
      return alarm(in.getAlarm());
    }
    Request auth = authRequest(in);
    if (auth == null) {
      throw new WireFormatException("an entry asks for nothing known");
    }
    return auth;
  }

  static Request.Alarm alarm(AlarmRequest in) {
    return new Request.Alarm(
        Request.Alarm.Action.of(in.getActionValue()), in.getMemberID(), new AlarmType(in.getAlarmValue()));
  }

  private static Request.LeaseCheckpoint checkpoint(List<LeaseCheckpoint> list) {
    return new Request.LeaseCheckpoint(
        list.stream().map(c -> new Request.LeaseCheckpoint.Remaining(c.getID(), c.getRemainingTTL())).toList());
  }

  private static @Nullable Request clusterRequest(InternalRaftRequest in) {
    if (in.hasClusterVersionSet()) {
      return new Request.ClusterVersionSet(in.getClusterVersionSet().getVer());
    } else if (in.hasClusterMemberAttrSet()) {
      var set = in.getClusterMemberAttrSet();
      return new Request.MemberAttributesSet(
          set.getMemberID(), set.getMemberAttributes().getName(), set.getMemberAttributes().getClientUrlsList());
    } else if (in.hasDowngradeInfoSet()) {
      return new Request.DowngradeInfoSet(in.getDowngradeInfoSet().getEnabled(), in.getDowngradeInfoSet().getVer());
    } else if (in.hasDowngradeVersionTest()) {
      return new Request.DowngradeVersionTest(in.getDowngradeVersionTest().getVer());
    }
    return null;
  }

  private static @Nullable Request authRequest(InternalRaftRequest in) {
    if (in.hasAuthenticate()) {
      var a = in.getAuthenticate();
      return new AuthRequest.Authenticate(a.getName(), a.getPassword(), a.getSimpleToken());
    } else if (in.hasAuthEnable()) {
      return new AuthRequest.Enable();
    } else if (in.hasAuthDisable()) {
      return new AuthRequest.Disable();
    } else if (in.hasAuthStatus()) {
      return new AuthRequest.Status();
    } else if (in.hasAuthUserAdd()) {
      var a = in.getAuthUserAdd();
      var options = a.hasOptions() ? new AuthRequest.UserAdd.Options(a.getOptions().getNoPassword()) : null;
      return new AuthRequest.UserAdd(a.getName(), a.getPassword(), options, a.getHashedPassword());
    } else if (in.hasAuthUserDelete()) {
      return new AuthRequest.UserDelete(in.getAuthUserDelete().getName());
    } else if (in.hasAuthUserChangePassword()) {
      var a = in.getAuthUserChangePassword();
      return new AuthRequest.UserChangePassword(a.getName(), a.getPassword(), a.getHashedPassword());
    } else if (in.hasAuthUserGrantRole()) {
      return new AuthRequest.UserGrantRole(in.getAuthUserGrantRole().getUser(), in.getAuthUserGrantRole().getRole());
    } else if (in.hasAuthUserGet()) {
      return new AuthRequest.UserGet(in.getAuthUserGet().getName());
    } else if (in.hasAuthUserRevokeRole()) {
      return new AuthRequest.UserRevokeRole(
          in.getAuthUserRevokeRole().getName(), in.getAuthUserRevokeRole().getRole());
    }
    return roleRequest(in);
  }

  private static @Nullable Request roleRequest(InternalRaftRequest in) {
    if (in.hasAuthRoleAdd()) {
      return new AuthRequest.RoleAdd(in.getAuthRoleAdd().getName());
    } else if (in.hasAuthRoleGrantPermission()) {
      var a = in.getAuthRoleGrantPermission();
      return new AuthRequest.RoleGrantPermission(a.getName(), a.hasPerm() ? permission(a.getPerm()) : null);
    } else if (in.hasAuthRoleGet()) {
      return new AuthRequest.RoleGet(in.getAuthRoleGet().getRole());
    } else if (in.hasAuthRoleRevokePermission()) {
      var a = in.getAuthRoleRevokePermission();
      return new AuthRequest.RoleRevokePermission(a.getRole(), bytes(a.getKey()), bytes(a.getRangeEnd()));
    } else if (in.hasAuthRoleDelete()) {
      return new AuthRequest.RoleDelete(in.getAuthRoleDelete().getRole());
    } else if (in.hasAuthUserList()) {
      return new AuthRequest.UserList();
    } else if (in.hasAuthRoleList()) {
      return new AuthRequest.RoleList();
    }
    return null;
  }

  private static AuthRequest.Permission permission(Permission in) {
    return new AuthRequest.Permission(in.getPermTypeValue(), bytes(in.getKey()), bytes(in.getRangeEnd()));
  }

  private static Bytes bytes(ByteString in) {
    return Bytes.wrap(in.toByteArray());
  }

  private static ByteString wrap(Bytes bytes) {
    return UnsafeByteOperations.unsafeWrap(bytes.array());
  }
}
