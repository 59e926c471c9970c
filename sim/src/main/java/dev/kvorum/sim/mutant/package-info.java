/// Does the simulator find what it should? [dev.kvorum.sim.mutant.Mutants] plants seeded defects (`sim/mutants.txt`) in
/// the sources of members, one at a time, and lets the simulator play against each.
///
/// A defect is a replacement of source lines, compiled over the classes that it changes: the product has no switches.
@NullMarked
package dev.kvorum.sim.mutant;

import org.jspecify.annotations.NullMarked;
