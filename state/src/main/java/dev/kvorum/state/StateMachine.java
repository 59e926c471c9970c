package dev.kvorum.state;

import dev.kvorum.env.Bytes;
import dev.kvorum.env.Disk;
import dev.kvorum.state.alarm.Alarms;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.BucketName;
import dev.kvorum.state.backend.MetaKey;
import dev.kvorum.state.keys.KeyLease;
import dev.kvorum.state.keys.KvStore;
import dev.kvorum.state.keys.KvView;
import dev.kvorum.state.lease.Lease;
import dev.kvorum.state.lease.LeaseExpiry;
import dev.kvorum.state.lease.Leases;
import dev.kvorum.state.membership.Membership;
import dev.kvorum.state.membership.StoredConfState;
import dev.kvorum.state.schema.Schema;
import dev.kvorum.state.schema.SchemaException;
import dev.kvorum.state.schema.Version;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// All that members agree on, opened from one db file, and the [Applier] that changes it.
///
/// ```java
/// StateMachine state = StateMachine.open(disk, file, options);
/// for (Entry entry : log after state.applier().appliedIndex()) {
///   Proposal proposal = RequestCodec.decode(entry.data());
///   ApplyOutcome outcome = state.applier().apply(entry.index(), entry.term(), proposal.header(), proposal.request());
/// }
/// state.keys().publish();                          // readers see it
/// WriteBatch batch = state.backend().take();       // now and then: to the backend loop, and back
/// ```
/// The apply loop owns it and everything it hands out, except for what [Backend] and [KvStore] give to other loops.
/// Nobody keeps what it hands out: a snapshot from the leader replaces all of it at once ([#become]).
public final class StateMachine implements AutoCloseable {
  private static final Bytes AUTH_ENABLED = Bytes.utf8("authEnabled");
  private static final Bytes AUTH_REVISION = Bytes.utf8("authRevision");
  private static final long AUTH_REVISION_FIRST = 1;

  private final StateOptions options;
  private final Executor helpers;
  private volatile Loaded loaded;

  /// What one file holds, and what changes it.
  ///
  /// @param lostLeases keys that hang on leases the file does not have
  private record Loaded(
      Backend backend,
      KvStore keys,
      Leases leases,
      Alarms alarms,
      Membership membership,
      Schema schema,
      Applier applier,
      List<KeyLease> lostLeases) {
    void close() throws IOException {
      keys.close();
      backend.close();
    }
  }

  private StateMachine(StateOptions options, Executor helpers, Loaded loaded) {
    this.options = options;
    this.helpers = helpers;
    this.loaded = loaded;
  }

  /// Opens or creates the db and loads all of it but the values.
  ///
  /// @throws UnappliableException when this program must not use it: another schema, a cluster version above ours,
  ///     authentication turned on, records that are none
  /// @throws dev.kvorum.bolt.FileLockedException when another process has it open
  /// @param helpers who may take part in reading a large file; it is fine if nobody does
  public static StateMachine open(Disk disk, Path file, StateOptions options, Executor helpers) throws IOException {
    return new StateMachine(options, helpers, load(disk, file, options, helpers));
  }

  /// The same, reading alone.
  public static StateMachine open(Disk disk, Path file, StateOptions options) throws IOException {
    return open(disk, file, options, nobody -> {});
  }

  /// As [#open], for another file under the same options: what a leader sent to replace everything there is. Any thread.
  public StateMachine openReceived(Disk disk, Path file) throws IOException {
    return open(disk, file, options, helpers);
  }

  /// Becomes what `received` is, which must not be used any more. What is here is let go: views that readers hold stay
  /// good until they close them.
  public void become(StateMachine received) throws IOException {
    Loaded before = loaded;
    loaded = received.loaded;
    before.close();
  }

  private static Loaded load(Disk disk, Path file, StateOptions options, Executor helpers) throws IOException {
    Backend backend = Backend.open(disk, file, options.bolt(), options.failpoints());
    try {
      Schema schema = Schema.load(backend);
      checkSupported(backend, schema);
      Alarms alarms = Alarms.load(backend);
      Membership membership = Membership.load(backend);
      Leases leases = Leases.load(backend, options.leaseTtlMinSeconds());
      KvStore keys = KvStore.open(backend, leases, helpers);
      List<KeyLease> lost = attach(leases, keys.takeRestoredLeases());
      Applier applier = new Applier(backend, keys, leases, alarms, membership, options);
      return new Loaded(backend, keys, leases, alarms, membership, schema, applier, lost);
    } catch (IOException | RuntimeException e) {
      backend.close();
      throw e;
    }
  }

  private static void checkSupported(Backend backend, Schema schema) throws IOException {
    try {
      schema.checkSupported(backend.batch().term());
    } catch (SchemaException e) {
      throw new UnappliableException(e.getMessage(), e);
    }
    byte[] enabled = backend.get(BucketName.AUTH, AUTH_ENABLED);
    if (enabled != null && enabled.length == 1 && enabled[0] == 1) {
      throw new UnappliableException("authentication is enabled in this db, which this version does not support yet");
    }
    if (backend.get(BucketName.AUTH, AUTH_REVISION) == null) {
      Bytes first = Bytes.wrap(ByteBuffer.allocate(Long.BYTES).putLong(AUTH_REVISION_FIRST).array());
      backend.batch().put(BucketName.AUTH, AUTH_REVISION, first);
    }
  }

  /// @return keys on leases that do not exist: harmless, worth a line in the log
  private static List<KeyLease> attach(Leases leases, List<KeyLease> attached) {
    List<KeyLease> lost = new ArrayList<>();
    for (KeyLease keyLease : attached) {
      if (!leases.tryAttach(keyLease.lease(), keyLease.key())) {
        lost.add(keyLease);
      }
    }
    return lost;
  }

  public Applier applier() {
    return loaded.applier();
  }

  public Backend backend() {
    return loaded.backend();
  }

  public KvStore keys() {
    return loaded.keys();
  }

  /// The newest published view, held for the caller, who closes it. Any thread.
  public KvView view() {
    while (true) {
      KvStore current = loaded.keys();
      try {
        return current.view();
      } catch (IllegalStateException closed) {
        if (loaded.keys() == current) {
          throw closed; // not replaced meanwhile: the member has stopped
        }
      }
    }
  }

  public Leases leases() {
    return loaded.leases();
  }

  public Alarms alarms() {
    return loaded.alarms();
  }

  public Membership membership() {
    return loaded.membership();
  }

  public Schema schema() {
    return loaded.schema();
  }

  /// Keys that hang on leases the db does not have, by key, as found when it was opened.
  public List<KeyLease> lostLeases() {
    return loaded.lostLeases();
  }

  /// Raft's configuration as last recorded in the db; null when none was.
  public @Nullable StoredConfState confState() throws IOException {
    byte[] json = backend().get(BucketName.META, MetaKey.CONF_STATE);
    return json == null ? null : StoredConfState.ofJson(Bytes.wrap(json).toUtf8());
  }

  /// Moves the db's schema to the version the cluster has; see [Schema#migrate].
  public List<Version> migrateSchema(Version target, @Nullable Version logMinimum) throws SchemaException {
    return schema().migrate(backend().batch(), target, logMinimum);
  }

  /// A fresh [LeaseExpiry] that knows the leases there are.
  public LeaseExpiry leaseExpiry(long retryNanos, long checkpointIntervalNanos, long nowNanos) {
    LeaseExpiry expiry = new LeaseExpiry(retryNanos, checkpointIntervalNanos);
    for (Lease lease : leases().all()) {
      expiry.granted(lease.id(), lease.ttlSeconds(), lease.remainingTtlSeconds(), nowNanos);
    }
    return expiry;
  }

  /// Structural self-check of everything in memory, for tests and the simulator.
  public void checkInvariants() {
    keys().checkInvariants();
    leases().checkInvariants();
  }

  /// Lets the db go. What was not committed is lost: the log has it.
  @Override
  public void close() throws IOException {
    loaded.close();
  }
}
