/// Who the members are, which of them were removed, and what version the cluster speaks. Starting point: [Membership];
/// [MembershipChange] is how it changes through the log.
@NullMarked
package dev.kvorum.state.membership;

import org.jspecify.annotations.NullMarked;
