/// What one member does: its loops, proposals, reads, watches, lease expiry, maintenance, and the meaning of every RPC.
///
/// Start at [Member]: it assembles the loops and hands out the services that the front calls. Nothing here knows a
/// socket or a gRPC type, so that the simulator runs the real member.
@NullMarked
package dev.kvorum.member;

import org.jspecify.annotations.NullMarked;
