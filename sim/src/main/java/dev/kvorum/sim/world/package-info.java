/// The world that is simulated under members: one [Scheduler], and on it their clocks, loops and disks.
///
/// Starting point: [SimHost], one process; it hands out the [dev.kvorum.env.World] that a member is started in.
@NullMarked
package dev.kvorum.sim.world;

import org.jspecify.annotations.NullMarked;
