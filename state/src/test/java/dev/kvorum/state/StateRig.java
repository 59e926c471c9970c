package dev.kvorum.state;

import dev.kvorum.bolt.BoltOptions;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.RealDisk;
import dev.kvorum.state.backend.BackendCommit;
import dev.kvorum.state.backend.BucketName;
import dev.kvorum.state.backend.WriteBatch;
import dev.kvorum.state.keys.Compaction;
import dev.kvorum.state.keys.KvHash;
import dev.kvorum.state.keys.KvView;
import dev.kvorum.state.membership.MembershipChange;
import java.io.IOException;
import java.nio.file.Path;
import java.util.TreeMap;

/// A state machine whose loops the test plays. Entries go through the codec, as in a log.
final class StateRig implements AutoCloseable {
  static final StateOptions OPTIONS =
      StateOptions.defaults().withBolt(BoltOptions.defaults().withNoSync(true).withInitialMapBytes(1 << 20));
  static final long TERM = 2;

  private final Path file;
  final StateOptions options;
  StateMachine state;
  long index;

  StateRig(Path file) throws IOException {
    this(file, OPTIONS);
  }

  StateRig(Path file, StateOptions options) throws IOException {
    this.file = file;
    this.options = options;
    this.state = StateMachine.open(new RealDisk(), file, options);
    this.index = state.applier().appliedIndex();
  }

  ApplyOutcome apply(Request request) throws IOException {
    return apply(request, true);
  }

  ApplyOutcome apply(Request request, boolean answered) throws IOException {
    return applyAt(index + 1, request, answered);
  }

  /// Also below what was applied, as a log replayed after a crash does.
  ApplyOutcome applyAt(long at, Request request, boolean answered) throws IOException {
    Proposal proposal = RequestCodec.decode(RequestCodec.encode(RequestHeader.of(at), request));
    ApplyOutcome outcome = state.applier().apply(at, TERM, proposal.header(), proposal.request(), answered);
    index = Math.max(index, at);
    return outcome;
  }

  ApplyOutcome apply(MembershipChange change) throws IOException {
    return state.applier().applyMembershipChange(++index, TERM, change);
  }

  long put(String key, String value) throws IOException {
    return apply(Request.Put.of(Bytes.utf8(key), Bytes.utf8(value))).revision();
  }

  long put(String key, String value, long lease) throws IOException {
    return apply(new Request.Put(Bytes.utf8(key), Bytes.utf8(value), lease, false, false, false)).revision();
  }

  /// What is gathered is written, and installed.
  void commit() throws IOException {
    WriteBatch batch = state.backend().take();
    BackendCommit commit = state.backend().write(batch);
    state.keys().committed(commit);
  }

  void finishCompactions() throws IOException {
    commit();
    for (Compaction c = state.keys().compaction(); c != null; c = state.keys().compaction()) {
      if (state.keys().compactIndexStep(1) && c.isReady()) {
        BackendCommit commit = c.backendStep(7);
        if (commit != null) {
          state.keys().compacted(c, commit);
        }
      }
    }
  }

  KvHash hashKv() throws IOException {
    state.keys().publish();
    try (KvView view = state.keys().view()) {
      return view.hashByRevision(0);
    }
  }

  /// Commits, and hashes the whole file.
  int hash() throws IOException {
    commit();
    return state.backend().hash();
  }

  /// What a bucket holds after a commit, as hexadecimal.
  TreeMap<String, String> bucket(BucketName name) throws IOException {
    commit();
    TreeMap<String, String> pairs = new TreeMap<>();
    state.backend().forEach(name, (key, value) -> pairs.put(key.toString(), value.toString()));
    return pairs;
  }

  /// The same of a bucket of texts.
  TreeMap<String, String> texts(BucketName name) throws IOException {
    commit();
    TreeMap<String, String> pairs = new TreeMap<>();
    state.backend().forEach(name, (key, value) -> pairs.put(key.toUtf8(), value.toUtf8()));
    return pairs;
  }

  /// The machine dies: what was not committed is gone.
  void crashAndReopen() throws IOException {
    state.close();
    state = StateMachine.open(new RealDisk(), file, options);
  }

  @Override
  public void close() throws IOException {
    state.close();
  }
}
