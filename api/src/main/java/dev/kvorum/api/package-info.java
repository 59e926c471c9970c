/// What crosses etcd's wire and lies on its disk: the protobuf messages (in sub-packages named as etcd's), the refusals
/// with their exact texts, and two ways around protobuf's copying for hot answers.
///
/// Start at [EtcdError] for refusals, at [ProtoWriter] and [Encoded] for fast responses, and at
/// `src/main/protobuf/etcdserverpb/rpc.proto` for the client API.
@NullMarked
package dev.kvorum.api;

import org.jspecify.annotations.NullMarked;
