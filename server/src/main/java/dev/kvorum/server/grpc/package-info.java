/// The gRPC side of the client port: bytes to services and back, nothing of what a call means.
///
/// Start at [GrpcFront], which lists every method served. Handlers run on the connection's event loop and never block.
@NullMarked
package dev.kvorum.server.grpc;

import org.jspecify.annotations.NullMarked;
