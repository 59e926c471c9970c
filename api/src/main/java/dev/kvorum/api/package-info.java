/// What crosses etcd's wire and lies on its disk: the protobuf messages (in sub-packages named as etcd's), the refusals
/// with their exact texts, and what little of protobuf and JSON is read and written by hand.
///
/// Start at [EtcdError] for refusals, at [ProtoReader], [ProtoWriter] and [Encoded] for bytes, and at
/// `src/main/protobuf/etcdserverpb/rpc.proto` for the client API.
@NullMarked
package dev.kvorum.api;

import org.jspecify.annotations.NullMarked;
