/// A cluster of real members in a simulated world, and what is done to it.
///
/// Starting point: [Cluster]; [Scenario] says what a seed draws, [Trouble] what goes wrong in act one.
@NullMarked
package dev.kvorum.sim.cluster;

import org.jspecify.annotations.NullMarked;
