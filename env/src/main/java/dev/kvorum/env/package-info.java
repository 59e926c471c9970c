/// The world as small interfaces: time, disk, loops, randomness.
///
/// Everything below `server` reaches the outside only through these, so that the simulator can stand in for all of it.
/// Starting points: [World] (what a member is handed), [Disk], [Loop], [Clock].
@NullMarked
package dev.kvorum.env;

import org.jspecify.annotations.NullMarked;
