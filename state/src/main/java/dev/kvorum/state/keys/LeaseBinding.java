package dev.kvorum.state.keys;

import dev.kvorum.env.Bytes;

/// Who knows which key hangs on which lease. Kept by the lease part, told by the key store; on the apply loop.
///
/// It is nowhere stored as such: each put's record names its lease, and the newest put counts.
public interface LeaseBinding {
  /// The lease `key` hangs on; 0 for none.
  long leaseOf(Bytes key);

  /// `lease` exists: who proposes the put has checked.
  void attach(long lease, Bytes key);

  void detach(long lease, Bytes key);

  /// A store without leases, for tools and tests.
  LeaseBinding NONE =
      new LeaseBinding() {
        @Override
        public long leaseOf(Bytes key) {
          return 0;
        }

        @Override
        public void attach(long lease, Bytes key) {}

        @Override
        public void detach(long lease, Bytes key) {}
      };
}
