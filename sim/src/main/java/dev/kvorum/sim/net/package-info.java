/// The network between simulated members, and between them and their clients: [SimNetwork], with [SimLinks] as each
/// member's end of it.
@NullMarked
package dev.kvorum.sim.net;

import org.jspecify.annotations.NullMarked;
