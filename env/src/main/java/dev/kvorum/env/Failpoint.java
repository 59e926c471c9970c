package dev.kvorum.env;

/// The places at which a test can make a member stop, wait or fail, under etcd's names and where etcd has them
/// (`process-contract.md`), so that harnesses written for etcd find what they look for.
public enum Failpoint {
  // Around the log and snapshots: the log loop, and the raft loop for what it sends.
  RAFT_BEFORE_SAVE("raftBeforeSave"),
  RAFT_AFTER_SAVE("raftAfterSave"),
  RAFT_BEFORE_SAVE_SNAP("raftBeforeSaveSnap"),
  RAFT_AFTER_SAVE_SNAP("raftAfterSaveSnap"),
  RAFT_BEFORE_WAL_SAVE_SNAPSHOT("raftBeforeWALSaveSnaphot"),
  RAFT_BEFORE_APPLY_SNAP("raftBeforeApplySnap"),
  RAFT_AFTER_APPLY_SNAP("raftAfterApplySnap"),
  RAFT_AFTER_WAL_RELEASE("raftAfterWALRelease"),
  RAFT_BEFORE_LEADER_SEND("raftBeforeLeaderSend"),
  RAFT_BEFORE_FOLLOWER_SEND("raftBeforeFollowerSend"),
  RAFT_BEFORE_ADVANCE("raftBeforeAdvance"),
  RAFT_DROP_HEARTBEAT("raftDropHeartbeat"),
  WAL_BEFORE_SYNC("walBeforeSync"),
  WAL_AFTER_SYNC("walAfterSync"),

  // Committing to the backend.
  BEFORE_COMMIT("beforeCommit"),
  AFTER_COMMIT("afterCommit"),
  COMMIT_BEFORE_PRE_COMMIT_HOOK("commitBeforePreCommitHook"),
  COMMIT_AFTER_PRE_COMMIT_HOOK("commitAfterPreCommitHook"),
  BEFORE_START_DB_TXN("beforeStartDBTxn"),
  AFTER_START_DB_TXN("afterStartDBTxn"),
  BEFORE_WRITEBACK_BUF("beforeWritebackBuf"),
  AFTER_WRITEBACK_BUF("afterWritebackBuf"),

  // Defragmentation and compaction.
  DEFRAG_BEFORE_COPY("defragBeforeCopy"),
  DEFRAG_BEFORE_RENAME("defragBeforeRename"),
  DEFRAG_OPEN_FILE_ERROR("defragOpenFileError"),
  DEFRAG_DB_FAIL("defragdbFail"),
  COMPACT_BEFORE_COMMIT_SCHEDULED("compactBeforeCommitScheduledCompact"),
  COMPACT_AFTER_COMMIT_SCHEDULED("compactAfterCommitScheduledCompact"),
  COMPACT_BEFORE_SET_FINISHED("compactBeforeSetFinishedCompact"),
  COMPACT_AFTER_SET_FINISHED("compactAfterSetFinishedCompact"),
  COMPACT_BEFORE_COMMIT_BATCH("compactBeforeCommitBatch"),
  COMPACT_AFTER_COMMIT_BATCH("compactAfterCommitBatch"),
  COMPACT_AFTER_ACQUIRED_BATCH_TX_LOCK("compactAfterAcquiredBatchTxLock"),

  // Applying.
  APPLY_BEFORE_OPEN_SNAPSHOT("applyBeforeOpenSnapshot"),
  APPLY_AFTER_OPEN_SNAPSHOT("applyAfterOpenSnapshot"),
  BEFORE_APPLY_ONE_ENTRY_NORMAL("beforeApplyOneEntryNormal"),
  BEFORE_APPLY_ONE_CONF_CHANGE("beforeApplyOneConfChange"),
  BEFORE_PUBLISHING("beforePublishing"),

  // Leases.
  BEFORE_CHECKPOINT_IN_LEASE_RENEW("beforeCheckpointInLeaseRenew"),
  BEFORE_LOOKUP_WHEN_FORWARD_LEASE_TIME_TO_LIVE("beforeLookupWhenForwardLeaseTimeToLive"),
  BEFORE_LOOKUP_WHEN_LEASE_TIME_TO_LIVE("beforeLookupWhenLeaseTimeToLive"),
  BEFORE_SERVE_HTTP_LEASE_RENEW("beforeServeHTTPLeaseRenew"),

  // Watches and streams.
  BEFORE_SEND_WATCH_RESPONSE("beforeSendWatchResponse"),
  BEFORE_SYNC_WATCHERS("beforeSyncWatchers"),
  BEFORE_MOVE_VICTIMS("beforeMoveVictims"),
  BEFORE_PROGRESS_IF_SYNC("beforeProgressIfSync"),
  BEFORE_RANGE_STREAM_CHUNK("beforeRangeStreamChunk"),

  // Members.
  AFTER_IS_MEMBER_EXIST("afterIsMemberExist");

  private final String etcdName;

  Failpoint(String etcdName) {
    this.etcdName = etcdName;
  }

  public String etcdName() {
    return etcdName;
  }
}
