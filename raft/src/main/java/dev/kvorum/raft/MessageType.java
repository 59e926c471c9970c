package dev.kvorum.raft;

/// The kinds of message, under etcd's numbers (the ordinals) and names.
public enum MessageType {
  HUP("MsgHup", true, false),
  BEAT("MsgBeat", true, false),
  PROPOSE("MsgProp", false, false),
  APPEND("MsgApp", false, false),
  APPEND_RESPONSE("MsgAppResp", false, true),
  VOTE("MsgVote", false, false),
  VOTE_RESPONSE("MsgVoteResp", false, true),
  INSTALL_SNAPSHOT("MsgSnap", false, false),
  HEARTBEAT("MsgHeartbeat", false, false),
  HEARTBEAT_RESPONSE("MsgHeartbeatResp", false, true),
  UNREACHABLE("MsgUnreachable", true, true),
  SNAPSHOT_STATUS("MsgSnapStatus", true, false),
  CHECK_QUORUM("MsgCheckQuorum", true, false),
  TRANSFER_LEADER("MsgTransferLeader", false, false),
  TIMEOUT_NOW("MsgTimeoutNow", false, false),
  READ_INDEX("MsgReadIndex", false, false),
  READ_INDEX_RESPONSE("MsgReadIndexResp", false, true),
  PRE_VOTE("MsgPreVote", false, false),
  PRE_VOTE_RESPONSE("MsgPreVoteResp", false, true),
  STORAGE_APPEND("MsgStorageAppend", true, false),
  STORAGE_APPEND_RESPONSE("MsgStorageAppendResp", true, true),
  STORAGE_APPLY("MsgStorageApply", true, false),
  STORAGE_APPLY_RESPONSE("MsgStorageApplyResp", true, true),
  FORGET_LEADER("MsgForgetLeader", false, false);

  private final String etcdName;
  private final boolean local;
  private final boolean response;

  MessageType(String etcdName, boolean local, boolean response) {
    this.etcdName = etcdName;
    this.local = local;
    this.response = response;
  }

  public String etcdName() {
    return etcdName;
  }

  /// Whether it never crosses a network.
  public boolean isLocal() {
    return local;
  }

  /// Whether it only makes sense from a member that was asked.
  public boolean isResponse() {
    return response;
  }

  static MessageType of(Message message) {
    return switch (message) {
      case Message.AppendResponse m -> APPEND_RESPONSE;
      case Message.Append m -> APPEND;
      case Message.HeartbeatResponse m -> HEARTBEAT_RESPONSE;
      case Message.Heartbeat m -> HEARTBEAT;
      case Message.Propose m -> PROPOSE;
      case Message.StorageAppendResponse m -> STORAGE_APPEND_RESPONSE;
      case Message.StorageApplyResponse m -> STORAGE_APPLY_RESPONSE;
      case Message.StorageAppend m -> STORAGE_APPEND;
      case Message.StorageApply m -> STORAGE_APPLY;
      case Message.ReadIndex m -> READ_INDEX;
      case Message.ReadIndexResponse m -> READ_INDEX_RESPONSE;
      case Message.Vote m -> VOTE;
      case Message.VoteResponse m -> VOTE_RESPONSE;
      case Message.PreVote m -> PRE_VOTE;
      case Message.PreVoteResponse m -> PRE_VOTE_RESPONSE;
      case Message.InstallSnapshot m -> INSTALL_SNAPSHOT;
      case Message.SnapshotStatus m -> SNAPSHOT_STATUS;
      case Message.Unreachable m -> UNREACHABLE;
      case Message.TransferLeader m -> TRANSFER_LEADER;
      case Message.TimeoutNow m -> TIMEOUT_NOW;
      case Message.ForgetLeader m -> FORGET_LEADER;
      case Message.Hup m -> HUP;
      case Message.Beat m -> BEAT;
      case Message.CheckQuorum m -> CHECK_QUORUM;
    };
  }
}
