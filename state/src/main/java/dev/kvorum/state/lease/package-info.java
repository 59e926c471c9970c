/// Leases, in two parts that must not be mixed: what all members agree on ([Leases]: which exist, with which TTL, on
/// which keys) and what only the leader knows ([LeaseExpiry]: when each runs out).
@NullMarked
package dev.kvorum.state.lease;

import org.jspecify.annotations.NullMarked;
