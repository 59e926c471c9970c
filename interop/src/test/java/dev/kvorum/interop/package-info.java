/// Our bytes and wire against other people's programs.
///
/// [GoInteropTest] runs the Go tests under `interop/go`, which compare us with the real etcd, its
/// tools and its client; [JetcdTest] uses the Java client jetcd. Both start `bin/etcd` as a process
/// ([EtcdProcess]) and use no class of ours.
@NullMarked
package dev.kvorum.interop;

import org.jspecify.annotations.NullMarked;
