/// Configuration changes as arithmetic: a configuration and a list of changes give the next one, or a refusal.
///
/// Start at [ConfChanger].
@NullMarked
package dev.kvorum.raft.confchange;

import org.jspecify.annotations.NullMarked;
