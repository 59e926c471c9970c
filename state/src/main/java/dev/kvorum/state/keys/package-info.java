/// The keys: etcd's multi-version store.
///
/// Starting points: [KvStore] for whoever changes them, [KvView] for whoever reads. Underneath, [KeyIndex] knows which
/// revisions each key has, the backend's memtables and bolt hold the values by revision, and [KvState] reads through
/// all three. [Compaction] forgets the past.
///
/// Reading order for the curious: [KeyEntry] (one key's history), `Node` and [KeyIndex] (all keys), `RangeQuery`.
@NullMarked
package dev.kvorum.state.keys;

import org.jspecify.annotations.NullMarked;
