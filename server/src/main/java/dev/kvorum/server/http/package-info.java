/// The plain HTTP side of the client port: version, health, metrics. Start at [HttpFront].
@NullMarked
package dev.kvorum.server.http;

import org.jspecify.annotations.NullMarked;
