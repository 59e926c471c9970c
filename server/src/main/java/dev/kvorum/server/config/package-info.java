/// What an operator may say to the server, and how it is read: flags, `ETCD_*` variables, a configuration file.
///
/// Starting points: [FlagTable] names every flag once; [Arguments] turns a command line and an environment into a
/// [StartRequest]; [ServerConfig] is the one checked result that everything else is built from. Accepted syntax,
/// precedence, messages and exit codes are etcd 3.7.1's.
@NullMarked
package dev.kvorum.server.config;

import org.jspecify.annotations.NullMarked;
