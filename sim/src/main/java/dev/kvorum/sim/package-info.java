/// Whole clusters of real members in a world that one seed decides: [Simulator] is the program.
@NullMarked
package dev.kvorum.sim;

import org.jspecify.annotations.NullMarked;
