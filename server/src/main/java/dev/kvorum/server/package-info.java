/// The server process: from a command line to sockets and back to an exit status.
///
/// Starting points: [Main] (one process), [EtcdServer] (one running member with its listeners).
@NullMarked
package dev.kvorum.server;

import org.jspecify.annotations.NullMarked;
