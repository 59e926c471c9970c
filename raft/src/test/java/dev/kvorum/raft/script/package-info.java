/// Runs transcripts: files of commands with the output each must give, in etcd raft's format.
///
/// Start at [RaftScripts] (the program) or [Script] (the format). [Theatre] plays the clusters of interaction files.
@NullMarked
package dev.kvorum.raft.script;

import org.jspecify.annotations.NullMarked;
