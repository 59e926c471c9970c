/// The judges: each holds what clients heard against one promise, by its name. None of them knows how members work.
///
/// Starting point: [Judges], who calls them all.
@NullMarked
package dev.kvorum.sim.judge;

import org.jspecify.annotations.NullMarked;
