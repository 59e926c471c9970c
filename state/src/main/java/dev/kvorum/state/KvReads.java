package dev.kvorum.state;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.env.CorruptionException;
import dev.kvorum.state.keys.KeyRange;
import dev.kvorum.state.keys.KvTxn;
import dev.kvorum.state.keys.KvView;
import dev.kvorum.state.keys.RangeOptions;
import dev.kvorum.state.keys.RangeResult;

/// What ranges and guards are evaluated against: the store inside a write transaction, or a published view.
interface KvReads {
  RangeResult range(KeyRange keys, RangeOptions options) throws CorruptionException;

  /// Throws what a range of a txn at `revision` would be refused with: 0 is the latest, anything else must lie within
  /// history (a negative number too, unlike in a range outside a txn).
  void checkRevision(long revision);

  static KvReads of(KvTxn txn) {
    return new KvReads() {
      @Override
      public RangeResult range(KeyRange keys, RangeOptions options) throws CorruptionException {
        return txn.range(keys, options);
      }

      @Override
      public void checkRevision(long revision) {
        txn.checkRevision(revision);
      }
    };
  }

  static KvReads of(KvView view) {
    return new KvReads() {
      @Override
      public RangeResult range(KeyRange keys, RangeOptions options) throws CorruptionException {
        return view.range(keys, options);
      }

      @Override
      public void checkRevision(long revision) {
        if (revision > view.currentRevision()) {
          throw EtcdException.of(EtcdError.FUTURE_REV);
        }
        if (revision != 0 && revision < view.compactRevision()) {
          throw EtcdException.of(EtcdError.COMPACTED);
        }
      }
    };
  }
}
