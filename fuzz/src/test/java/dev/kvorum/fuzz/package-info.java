/// Coverage-guided fuzzing of everything that reads files or peers' bytes.
///
/// Start at [Targets]: each [Target] is a function of bytes, [Driver] judges its runs, [Campaign] has Jazzer run them.
/// `bin/fuzz` is the command; the tests of this module run a bounded campaign with a fresh seed, and every input that
/// once broke something.
@NullMarked
package dev.kvorum.fuzz;

import org.jspecify.annotations.NullMarked;
