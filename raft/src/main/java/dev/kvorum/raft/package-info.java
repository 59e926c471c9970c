/// Consensus as a pure function: messages, ticks and proposals in, a [Ready] out.
///
/// Nothing here reads a clock, draws randomness of its own, starts a thread or touches a disk. Start at [RawNode].
@NullMarked
package dev.kvorum.raft;

import org.jspecify.annotations.NullMarked;
