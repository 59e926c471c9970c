/// Clients: what they ask, and what they remember of the answers for the judges.
///
/// Starting point: [Caller], which asks one thing of one member over a network that loses things; [Memory], where all
/// that was heard is kept.
@NullMarked
package dev.kvorum.sim.client;

import org.jspecify.annotations.NullMarked;
