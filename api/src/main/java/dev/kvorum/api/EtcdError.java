package dev.kvorum.api;

import static dev.kvorum.api.EtcdError.Clients.PLAIN;
import static dev.kvorum.api.EtcdError.Clients.TYPED;
import static dev.kvorum.api.GrpcCode.*;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Every refusal that reaches a client as a gRPC status, with etcd 3.7.1's code and exact text. The one catalogue:
/// nothing else in Kvorum spells these texts.
///
/// The text is the contract: clients turn it back into a typed error, so a changed letter is a broken client. Each
/// constant says when it is sent. Texts with a number or a name in them are made by [EtcdException]'s factories;
/// those that travel inside a watch response are [WatchCancelReason]s.
///
/// Source: etcd `api/v3rpc/rpctypes/error.go`, `server/etcdserver/api/v3rpc/util.go`.
public enum EtcdError {
  /// Range/RangeStream/Put/DeleteRange/Txn (any nested op or compare) with empty key.
  EMPTY_KEY("ErrGRPCEmptyKey", INVALID_ARGUMENT, TYPED, "etcdserver: key is not provided"),
  /// Put ignore_value/ignore_lease on a missing key; Txn op whose oneof is unset.
  KEY_NOT_FOUND("ErrGRPCKeyNotFound", INVALID_ARGUMENT, TYPED, "etcdserver: key not found"),
  /// `ignore_value` with a non-empty value.
  VALUE_PROVIDED("ErrGRPCValueProvided", INVALID_ARGUMENT, TYPED, "etcdserver: value is provided"),
  /// `ignore_lease` with a non-zero lease.
  LEASE_PROVIDED("ErrGRPCLeaseProvided", INVALID_ARGUMENT, TYPED, "etcdserver: lease is provided"),
  /// max(len compare, success, failure) > max-txn-ops at any nesting level (nested budget is reduced).
  TOO_MANY_OPS("ErrGRPCTooManyOps", INVALID_ARGUMENT, TYPED, "etcdserver: too many operations in txn request"),
  /// Same key put twice, or put inside a deleted range, in one txn branch.
  DUPLICATE_KEY("ErrGRPCDuplicateKey", INVALID_ARGUMENT, TYPED, "etcdserver: duplicate key given in txn request"),
  /// Metadata client-api-version is not valid UTF-8.
  INVALID_CLIENT_API_VERSION(
      "ErrGRPCInvalidClientAPIVersion", INVALID_ARGUMENT, PLAIN,
      "etcdserver: invalid client api version"),
  /// Unknown number in `sort_order` or `sort_target`.
  INVALID_SORT_OPTION("ErrGRPCInvalidSortOption", INVALID_ARGUMENT, TYPED, "etcdserver: invalid sort option"),
  /// Revision older than compaction; also Compact at or below the compacted revision, HashKV.
  COMPACTED("ErrGRPCCompacted", OUT_OF_RANGE, TYPED, "etcdserver: mvcc: required revision has been compacted"),
  /// Revision above current (Range, Txn range, Compact, HashKV).
  FUTURE_REV("ErrGRPCFutureRev", OUT_OF_RANGE, TYPED, "etcdserver: mvcc: required revision is a future revision"),
  /// Quota check failed (API layer or apply layer) or NOSPACE alarm active: Put, Txn with puts, LeaseGrant.
  NO_SPACE("ErrGRPCNoSpace", RESOURCE_EXHAUSTED, TYPED, "etcdserver: mvcc: database space exceeded"),
  /// LeaseRevoke of unknown id; Put with unknown lease.
  LEASE_NOT_FOUND("ErrGRPCLeaseNotFound", NOT_FOUND, TYPED, "etcdserver: requested lease not found"),
  /// LeaseGrant with an id in use.
  LEASE_EXIST("ErrGRPCLeaseExist", FAILED_PRECONDITION, TYPED, "etcdserver: lease already exists"),
  /// LeaseGrant TTL > 9000000000.
  LEASE_TTL_TOO_LARGE("ErrGRPCLeaseTTLTooLarge", OUT_OF_RANGE, TYPED, "etcdserver: too large lease TTL"),
  /// Status of the Watch stream when the client cancels.
  WATCH_CANCELED("ErrGRPCWatchCanceled", CANCELED, PLAIN, "etcdserver: watch canceled"),
  /// MemberAdd: id computed already in membership.
  MEMBER_EXIST("ErrGRPCMemberExist", FAILED_PRECONDITION, TYPED, "etcdserver: member ID already exist"),
  /// MemberAdd/MemberUpdate: a peer url already used by another member.
  PEER_URL_EXIST("ErrGRPCPeerURLExist", FAILED_PRECONDITION, TYPED, "etcdserver: Peer URLs already exists"),
  /// Strict reconfiguration check: too few started members would be left for a quorum. Declared
  /// FAILED_PRECONDITION, sent as UNKNOWN.
  MEMBER_NOT_ENOUGH_STARTED(
      "ErrGRPCMemberNotEnoughStarted", UNKNOWN, FAILED_PRECONDITION, TYPED,
      "etcdserver: re-configuration failed due to not enough started members"),
  /// MemberAdd: peerURLs do not parse.
  MEMBER_BAD_URLS("ErrGRPCMemberBadURLs", INVALID_ARGUMENT, TYPED, "etcdserver: given member URLs are invalid"),
  /// MemberRemove/Update/Promote: id absent or already removed.
  MEMBER_NOT_FOUND("ErrGRPCMemberNotFound", NOT_FOUND, TYPED, "etcdserver: member not found"),
  /// MemberPromote of a voter.
  MEMBER_NOT_LEARNER(
      "ErrGRPCMemberNotLearner", FAILED_PRECONDITION, TYPED,
      "etcdserver: can only promote a learner member"),
  /// MemberPromote: learner match index < 90% of leader match.
  LEARNER_NOT_READY(
      "ErrGRPCLearnerNotReady", FAILED_PRECONDITION, TYPED,
      "etcdserver: can only promote a learner member which is in sync with leader"),
  /// MemberAdd learner beyond max-learners.
  TOO_MANY_LEARNERS(
      "ErrGRPCTooManyLearners", FAILED_PRECONDITION, TYPED,
      "etcdserver: too many learner members in cluster"),
  /// Peer hash check: other cluster id (not produced by public RPCs).
  CLUSTER_ID_MISMATCH("ErrGRPCClusterIDMismatch", FAILED_PRECONDITION, TYPED, "etcdserver: cluster ID mismatch"),
  /// Marshaled raft request > max-request-bytes.
  REQUEST_TOO_LARGE("ErrGRPCRequestTooLarge", INVALID_ARGUMENT, TYPED, "etcdserver: request is too large"),
  /// Committed but unapplied entries exceed 5,000. Declared RESOURCE_EXHAUSTED, sent as UNKNOWN.
  TOO_MANY_REQUESTS(
      "ErrGRPCRequestTooManyRequests", UNKNOWN, RESOURCE_EXHAUSTED, TYPED,
      "etcdserver: too many requests"),
  /// AuthEnable without user root.
  ROOT_USER_NOT_EXIST("ErrGRPCRootUserNotExist", FAILED_PRECONDITION, TYPED, "etcdserver: root user does not exist"),
  /// AuthEnable: user root lacks role root.
  ROOT_ROLE_NOT_EXIST(
      "ErrGRPCRootRoleNotExist", FAILED_PRECONDITION, TYPED,
      "etcdserver: root user does not have root role"),
  /// UserAdd existing.
  USER_ALREADY_EXIST("ErrGRPCUserAlreadyExist", FAILED_PRECONDITION, TYPED, "etcdserver: user name already exists"),
  /// UserAdd empty name; any protected call without credentials while auth is on.
  USER_EMPTY("ErrGRPCUserEmpty", INVALID_ARGUMENT, TYPED, "etcdserver: user name is empty"),
  /// User ops on unknown user; admin check for deleted user.
  USER_NOT_FOUND("ErrGRPCUserNotFound", FAILED_PRECONDITION, TYPED, "etcdserver: user name not found"),
  /// RoleAdd existing.
  ROLE_ALREADY_EXIST("ErrGRPCRoleAlreadyExist", FAILED_PRECONDITION, TYPED, "etcdserver: role name already exists"),
  /// Role ops on unknown role; UserGrantRole unknown role (role root is exempt).
  ROLE_NOT_FOUND("ErrGRPCRoleNotFound", FAILED_PRECONDITION, TYPED, "etcdserver: role name not found"),
  /// RoleAdd empty name.
  ROLE_EMPTY("ErrGRPCRoleEmpty", INVALID_ARGUMENT, TYPED, "etcdserver: role name is empty"),
  /// Authenticate: unknown user or wrong password.
  AUTH_FAILED(
      "ErrGRPCAuthFailed", INVALID_ARGUMENT, TYPED,
      "etcdserver: authentication failed, invalid user ID or password"),
  /// RoleGrantPermission without perm.
  PERMISSION_NOT_GIVEN("ErrGRPCPermissionNotGiven", INVALID_ARGUMENT, PLAIN, "etcdserver: permission not given"),
  /// RBAC refusal; non-root on admin calls.
  PERMISSION_DENIED("ErrGRPCPermissionDenied", GrpcCode.PERMISSION_DENIED, TYPED, "etcdserver: permission denied"),
  /// UserRevokeRole of a role the user lacks.
  ROLE_NOT_GRANTED(
      "ErrGRPCRoleNotGranted", FAILED_PRECONDITION, TYPED,
      "etcdserver: role is not granted to the user"),
  /// RoleRevokePermission with no exact key/range_end match.
  PERMISSION_NOT_GRANTED(
      "ErrGRPCPermissionNotGranted", FAILED_PRECONDITION, TYPED,
      "etcdserver: permission is not granted to the role"),
  /// Authenticate while auth is off.
  AUTH_NOT_ENABLED("ErrGRPCAuthNotEnabled", FAILED_PRECONDITION, TYPED, "etcdserver: authentication is not enabled"),
  /// Token unknown/expired/bad signature.
  INVALID_AUTH_TOKEN("ErrGRPCInvalidAuthToken", UNAUTHENTICATED, TYPED, "etcdserver: invalid auth token"),
  /// While auth on: delete user root, revoke role root from root, delete role root; RoleGrantPermission with empty
  /// key or range_end <= key (and not 0x00).
  INVALID_AUTH_MGMT("ErrGRPCInvalidAuthMgmt", INVALID_ARGUMENT, TYPED, "etcdserver: invalid auth management"),
  /// Auth store changed since the token revision (JWT) or during a serialized request.
  AUTH_OLD_REVISION("ErrGRPCAuthOldRevision", INVALID_ARGUMENT, TYPED, "etcdserver: revision of auth store is old"),
  /// Metadata hasleader=true and no leader; stream killed after 3 election timeouts without leader; waitLeader
  /// timeout.
  NO_LEADER("ErrGRPCNoLeader", UNAVAILABLE, TYPED, "etcdserver: no leader"),
  /// MoveLeader sent to a non-leader.
  NOT_LEADER("ErrGRPCNotLeader", FAILED_PRECONDITION, TYPED, "etcdserver: not leader"),
  /// Linearizable read or LeaseTimeToLive during leader change.
  LEADER_CHANGED("ErrGRPCLeaderChanged", UNAVAILABLE, TYPED, "etcdserver: leader changed"),
  /// Cluster version not decided yet, or without the v3rpc capability.
  NOT_CAPABLE("ErrGRPCNotCapable", FAILED_PRECONDITION, TYPED, "etcdserver: not capable"),
  /// Server stopping.
  STOPPED("ErrGRPCStopped", UNAVAILABLE, TYPED, "etcdserver: server stopped"),
  /// Proposal/read index/forwarding exceeded the request timeout.
  TIMEOUT("ErrGRPCTimeout", UNAVAILABLE, TYPED, "etcdserver: request timed out"),
  /// Proposal timed out across a leader loss.
  TIMEOUT_DUE_TO_LEADER_FAIL(
      "ErrGRPCTimeoutDueToLeaderFail", UNAVAILABLE, TYPED,
      "etcdserver: request timed out, possibly due to previous leader failure"),
  /// Proposal timed out, leader/quorum connection lost.
  TIMEOUT_DUE_TO_CONNECTION_LOST(
      "ErrGRPCTimeoutDueToConnectionLost", UNAVAILABLE, TYPED,
      "etcdserver: request timed out, possibly due to connection lost"),
  /// Leader did not apply up to commit index within 1s (lease keepalive/ttl, promote).
  TIMEOUT_WAIT_APPLIED_INDEX(
      "ErrGRPCTimeoutWaitAppliedIndex", UNAVAILABLE, PLAIN,
      "etcdserver: request timed out, waiting for the applied index took too long"),
  /// Member add/remove refused by strict reconfig check.
  UNHEALTHY("ErrGRPCUnhealthy", UNAVAILABLE, TYPED, "etcdserver: unhealthy cluster"),
  /// CORRUPT alarm active: Put/Range(raft)/DeleteRange/Txn/Compact/LeaseGrant/LeaseRevoke applied.
  CORRUPT("ErrGRPCCorrupt", DATA_LOSS, TYPED, "etcdserver: corrupt cluster"),
  /// Learner got an RPC other than Status, serializable Range, Snapshot stream.
  NOT_SUPPORTED_FOR_LEARNER(
      "ErrGRPCNotSupportedForLearner", FAILED_PRECONDITION, TYPED,
      "etcdserver: rpc not supported for learner"),
  /// MoveLeader target unknown or learner.
  BAD_LEADER_TRANSFEREE(
      "ErrGRPCBadLeaderTransferee", FAILED_PRECONDITION, TYPED,
      "etcdserver: bad leader transferee"),
  /// Downgrade version not X.Y or X.Y.Z.
  WRONG_DOWNGRADE_VERSION_FORMAT(
      "ErrGRPCWrongDowngradeVersionFormat", INVALID_ARGUMENT, TYPED,
      "etcdserver: wrong downgrade target version format"),
  /// Downgrade target is not cluster minor - 1.
  INVALID_DOWNGRADE_TARGET_VERSION(
      "ErrGRPCInvalidDowngradeTargetVersion", INVALID_ARGUMENT, TYPED,
      "etcdserver: invalid downgrade target version"),
  /// Cluster version not decided yet.
  CLUSTER_VERSION_UNAVAILABLE(
      "ErrGRPCClusterVersionUnavailable", FAILED_PRECONDITION, TYPED,
      "etcdserver: cluster version not found during downgrade"),
  /// Downgrade already enabled.
  DOWNGRADE_IN_PROCESS(
      "ErrGRPCDowngradeInProcess", FAILED_PRECONDITION, TYPED,
      "etcdserver: cluster has a downgrade job in progress"),
  /// Declared, but Downgrade CANCEL swallows it (returns OK).
  NO_INFLIGHT_DOWNGRADE(
      "ErrGRPCNoInflightDowngrade", FAILED_PRECONDITION, TYPED,
      "etcdserver: no inflight downgrade job"),
  /// Proposal context canceled by the client side.
  REQUEST_CANCELED("ErrGRPCCanceled", CANCELED, PLAIN, "etcdserver: request canceled"),
  /// Declared mapping; context errors are normally converted by gRPC to "context deadline exceeded".
  DEADLINE_EXCEEDED(
      "ErrGRPCDeadlineExceeded", GrpcCode.DEADLINE_EXCEEDED, PLAIN, "etcdserver: context deadline exceeded"),
  /// Downgrade with an unknown action.
  UNKNOWN_DOWNGRADE_ACTION("ErrUnknownMethod", UNKNOWN, PLAIN, "etcdserver: unknown method"),
  /// MoveLeader when the request context ends first.
  TIMEOUT_LEADER_TRANSFER(
      "ErrTimeoutLeaderTransfer", UNKNOWN, PLAIN,
      "etcdserver: request timed out, leader transfer took too long"),
  /// LeaseKeepAlive on a member that believes it leads but cannot confirm leadership.
  NOT_PRIMARY_LESSOR("lease.ErrNotPrimary", UNKNOWN, PLAIN, "not a primary lessor"),
  /// Authenticate for a user created with no_password.
  NO_PASSWORD_USER(
      "auth.ErrNoPasswordUser", UNKNOWN, PLAIN,
      "auth: authentication failed, password was given for no password user"),
  /// Authenticate when JWT has only a public key.
  JWT_VERIFY_ONLY("auth.ErrVerifyOnly", UNKNOWN, PLAIN, "auth: token signing attempted with verify-only key"),
  /// UserAdd/UserChangePassword with password > 72 bytes.
  PASSWORD_TOO_LONG("bcrypt.ErrPasswordTooLong", UNKNOWN, PLAIN, "bcrypt: password length exceeds 72 bytes"),
  /// RangeStream with sort_order!=NONE except KEY+ASCEND.
  RANGE_STREAM_SORT("(RangeStream sort)", UNIMPLEMENTED, PLAIN, "RangeStream does not support custom sort orders"),
  /// RangeStream with any min/max mod/create revision != 0.
  RANGE_STREAM_FILTER("(RangeStream filter)", UNIMPLEMENTED, PLAIN, "RangeStream does not support revision filters"),
  /// Proposal with no leader known by raft, transfer in progress, or uncommitted-size limit.
  PROPOSAL_DROPPED("raft.ErrProposalDropped", UNKNOWN, PLAIN, "raft proposal dropped"),
  /// Raft node stopped.
  RAFT_STOPPED("raft.ErrStopped", UNKNOWN, PLAIN, "raft: stopped"),
  /// Election Proclaim/Resign without leader.
  MISSING_LEADER_KEY("v3election.ErrMissingLeaderKey", UNKNOWN, PLAIN, "\"leader\" field must be provided"),
  /// Election Proclaim when ownership key changed.
  ELECTION_NOT_LEADER("concurrency.ErrElectionNotLeader", UNKNOWN, PLAIN, "election: not leader"),
  /// Election Leader when nobody leads.
  ELECTION_NO_LEADER("concurrency.ErrElectionNoLeader", UNKNOWN, PLAIN, "election: no leader"),
  /// Lock: own key vanished while waiting.
  SESSION_EXPIRED("concurrency.ErrSessionExpired", UNKNOWN, PLAIN, "mutex: session is expired"),
  /// Client library Unlock twice.
  LOCK_RELEASED("concurrency.ErrLockReleased", UNKNOWN, PLAIN, "mutex: lock has already been released"),
  /// Client library TryLock.
  LOCKED("concurrency.ErrLocked", UNKNOWN, PLAIN, "mutex: Locked by another session"),
  /// Lock/Campaign wait interrupted.
  LOST_WATCHER("(waitDelete)", UNKNOWN, PLAIN, "lost watcher waiting for delete"),
  /// Client canceled.
  CONTEXT_CANCELED("context.Canceled", CANCELED, PLAIN, "context canceled"),
  /// Client deadline hit.
  CONTEXT_DEADLINE_EXCEEDED("context.DeadlineExceeded", GrpcCode.DEADLINE_EXCEEDED, PLAIN, "context deadline exceeded"),
  /// Gateway: unknown path under /v3/.
  GATEWAY_NOT_FOUND("gateway: unknown path under /v3/", NOT_FOUND, PLAIN, "Not Found"),
  /// Gateway: wrong HTTP method.
  GATEWAY_METHOD_NOT_ALLOWED("gateway: wrong HTTP method", UNIMPLEMENTED, PLAIN, "Method Not Allowed");

  /// Whether client libraries map the text back to a typed error (and then print the text alone), or pass the status
  /// on as it is (`rpc error: code = … desc = …`).
  enum Clients {
    TYPED,
    PLAIN
  }

  private static final Map<String, EtcdError> TYPED_BY_MESSAGE = typedByMessage();

  private final String symbol;
  private final GrpcCode code;
  private final GrpcCode declaredCode;
  private final Clients clients;
  private final String message;

  EtcdError(String symbol, GrpcCode code, Clients clients, String message) {
    this(symbol, code, code, clients, message);
  }

  EtcdError(String symbol, GrpcCode code, GrpcCode declaredCode, Clients clients, String message) {
    this.symbol = symbol;
    this.code = code;
    this.declaredCode = declaredCode;
    this.clients = clients;
    this.message = message;
  }

  private static Map<String, EtcdError> typedByMessage() {
    Map<String, EtcdError> byMessage = new HashMap<>();
    for (EtcdError error : values()) {
      if (error.isTypedByClients()) {
        byMessage.put(error.message, error);
      }
    }
    return byMessage;
  }

  /// The typed error a client makes of a status text; null when the text is not one that clients know.
  public static @Nullable EtcdError typedByMessage(String message) {
    return TYPED_BY_MESSAGE.get(message);
  }

  /// etcd's own name for it, for logs and tests.
  public String symbol() {
    return symbol;
  }

  /// The code on the wire.
  public GrpcCode code() {
    return code;
  }

  /// The code clients give the typed error. It differs from [#code] only where etcd's server forgets to convert its
  /// error and `UNKNOWN` goes out.
  public GrpcCode declaredCode() {
    return declaredCode;
  }

  /// The exact text of the status.
  public String message() {
    return message;
  }

  public boolean isTypedByClients() {
    return clients == TYPED;
  }

  /// This refusal as something to throw. Cheap: no stack trace is taken, and one instance per error is shared.
  public EtcdException exception() {
    return EtcdException.of(this);
  }
}
