/// Failpoints over HTTP, as harnesses written for etcd drive them: start at [FailpointServer].
///
/// Heeded only when the JVM is started with `-Dkvorum.failpoints=true`, which takes the place of etcd's test builds.
@NullMarked
package dev.kvorum.server.failpoint;

import org.jspecify.annotations.NullMarked;
