/// What passes between members: [PeerLinks] is the way out, [PeerService] the way in.
///
/// The member declares both and knows neither sockets nor HTTP, so that the simulator can put a network of its own
/// between real members.
@NullMarked
package dev.kvorum.member.peer;

import org.jspecify.annotations.NullMarked;
