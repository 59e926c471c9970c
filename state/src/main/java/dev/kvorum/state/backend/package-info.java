/// The bolt file behind the state: etcd's buckets, written in batches behind the apply loop.
///
/// Starting point: [Backend]. A [WriteBatch] gathers what the apply loop writes; its key changes lie in a [Memtable],
/// readable until bolt has them. [RevisionSweep] (compaction), [Defragmentation], [BackendSnapshot] and [WholeHash] are
/// the works on the whole file. [BucketName], [MetaKey] and [RevisionKey] spell the schema.
///
/// What lies where, byte for byte: etcd `server/storage/schema`, `server/storage/mvcc/revision.go`.
@NullMarked
package dev.kvorum.state.backend;

import org.jspecify.annotations.NullMarked;
