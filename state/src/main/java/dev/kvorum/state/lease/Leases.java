package dev.kvorum.state.lease;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvorum.api.EtcdError;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Invariant;
import dev.kvorum.state.UnappliableException;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.BucketName;
import dev.kvorum.state.backend.WriteBatch;
import dev.kvorum.state.keys.LeaseBinding;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Which leases exist, with which TTL, and which keys hang on them: the part of leasing that all members agree on.
///
/// The `lease` bucket keeps ids and TTLs. Which keys hang on a lease is written nowhere but in the keys themselves, and
/// gathered from them when the store is opened. When a lease ends is [LeaseExpiry]'s alone.
///
/// Owned by the apply loop. Source: `apply-semantics.md` §6, `backend-schema.md` §4.
public final class Leases implements LeaseBinding {
  /// 285 years, in seconds.
  public static final long TTL_MAX_SECONDS = 9_000_000_000L;

  private final long ttlMinSeconds;
  private final LongTable<Lease> leases = new LongTable<>();
  private final Map<Bytes, Lease> leaseByKey = new HashMap<>();

  private Leases(long ttlMinSeconds) {
    this.ttlMinSeconds = ttlMinSeconds;
  }

  /// @param ttlMinSeconds what shorter TTLs are raised to. It follows from the election timeout, must be the same on
  ///     all
  ///     members, and applies to stored leases too
  public static Leases load(Backend backend, long ttlMinSeconds) throws IOException {
    Leases leases = new Leases(ttlMinSeconds);
    List<Bytes> records = new ArrayList<>();
    backend.forEach(BucketName.LEASE, (_, value) -> records.add(value));
    for (Bytes record : records) {
      Lease lease = leases.decode(record);
      if (leases.leases.get(lease.id()) == null) {
        leases.leases.add(lease.id(), lease);
      }
    }
    return leases;
  }

  public int size() {
    return leases.size();
  }

  public @Nullable Lease get(long id) {
    return leases.get(id);
  }

  public boolean contains(long id) {
    return leases.get(id) != null;
  }

  /// All leases, by id.
  public List<Lease> all() {
    List<Lease> all = new ArrayList<>(leases.size());
    leases.forEach(all::add);
    all.sort((left, right) -> Long.compare(left.id(), right.id()));
    return all;
  }

  /// What a grant would be refused for; null when nothing.
  public @Nullable EtcdError checkGrant(long id, long ttlSeconds) {
    if (id == 0) {
      return EtcdError.LEASE_NOT_FOUND;
    }
    if (ttlSeconds > TTL_MAX_SECONDS) {
      return EtcdError.LEASE_TTL_TOO_LARGE;
    }
    return leases.get(id) == null ? null : EtcdError.LEASE_EXIST;
  }

  /// Makes a lease that [#checkGrant] has nothing against. A TTL below the minimum, even a negative one, is raised.
  public Lease grant(WriteBatch batch, long id, long ttlSeconds) {
    Invariant.check(checkGrant(id, ttlSeconds) == null, "a lease is granted that must be refused");
    Lease lease = new Lease(id, Math.max(ttlSeconds, ttlMinSeconds), 0);
    leases.add(id, lease);
    persist(batch, lease);
    return lease;
  }

  /// Removes a lease whose keys are deleted.
  public void remove(WriteBatch batch, long id) {
    Lease lease = leases.remove(id);
    Invariant.check(lease != null, "an unknown lease is removed");
    for (Bytes key : lease.sortedKeys()) {
      leaseByKey.remove(key);
    }
    batch.delete(BucketName.LEASE, key(id));
  }

  /// Notes what is left of a lease, for the next leader. An unknown lease is passed over.
  ///
  /// @param persist whether the db keeps it, which depends on the cluster version
  /// @return false when the lease is unknown
  public boolean checkpoint(WriteBatch batch, long id, long remainingTtlSeconds, boolean persist) {
    Lease lease = leases.get(id);
    if (lease == null) {
      return false;
    }
    lease.remainingTtlSeconds(remainingTtlSeconds);
    if (persist) {
      persist(batch, lease);
    }
    return true;
  }

  @Override
  public long leaseOf(Bytes key) {
    if (leaseByKey.isEmpty()) {
      return 0;
    }
    Lease lease = leaseByKey.get(key);
    return lease == null ? 0 : lease.id();
  }

  /// Hangs a key on a lease that exists, taking it off any other.
  @Override
  public void attach(long id, Bytes key) {
    boolean attached = tryAttach(id, key);
    Invariant.check(attached, "a key is attached to a lease that does not exist");
  }

  /// As [#attach], for keys found in the db: their lease may be gone.
  ///
  /// @return false when it is
  public boolean tryAttach(long id, Bytes key) {
    Lease lease = leases.get(id);
    if (lease == null) {
      return false;
    }
    Lease before = leaseByKey.put(key, lease);
    if (before != null && before != lease) {
      before.detach(key);
    }
    lease.attach(key);
    return true;
  }

  /// Takes a key off a lease. A key that does not hang on it is left alone.
  @Override
  public void detach(long id, Bytes key) {
    Lease lease = leaseByKey.get(key);
    if (lease != null && lease.id() == id) {
      leaseByKey.remove(key);
      lease.detach(key);
    }
  }

  /// Structural self-check, for tests and the simulator.
  public void checkInvariants() {
    int[] attached = new int[1];
    leases.forEach(lease -> {
      for (Bytes key : lease.sortedKeys()) {
        Invariant.check(leaseByKey.get(key) == lease, "a lease holds a key that does not know it");
        attached[0]++;
      }
    });
    Invariant.check(attached[0] == leaseByKey.size(), "a key hangs on a lease that does not hold it");
  }

  private void persist(WriteBatch batch, Lease lease) {
    ProtoWriter out = new ProtoWriter(40);
    out.number(1, lease.id());
    out.number(2, lease.ttlSeconds());
    out.number(3, lease.remainingTtlSeconds());
    batch.put(BucketName.LEASE, key(lease.id()), Bytes.wrap(out.toByteArray()));
  }

  private Lease decode(Bytes record) throws UnappliableException {
    try {
      var stored = dev.kvorum.api.leasepb.Lease.parseFrom(record.array());
      return new Lease(stored.getID(), Math.max(stored.getTTL(), ttlMinSeconds), stored.getRemainingTTL());
    } catch (InvalidProtocolBufferException e) {
      throw new UnappliableException("the lease bucket holds what is no lease: " + record, e);
    }
  }

  private static Bytes key(long id) {
    return Bytes.wrap(ByteBuffer.allocate(Long.BYTES).putLong(id).array());
  }
}
