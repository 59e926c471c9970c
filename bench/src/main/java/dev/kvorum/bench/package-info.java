/// Load against running servers: closed-loop gRPC clients in a process of their own, our server and another etcd
/// measured in turns on the same machine.
///
/// The clients speak HTTP/2 through [Http2Connection], a lean client on one selector thread, so that on a small machine
/// the processor time goes to the server under test. Start at [Main]; `bench/README.md` has the commands.
@NullMarked
package dev.kvorum.bench;

import org.jspecify.annotations.NullMarked;
