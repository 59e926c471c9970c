/// What all members agree on, and the one way to change it.
///
/// Starting point: [StateMachine] opens everything from a db file and hands out the [Applier], which turns a committed
/// [Request] into an [ApplyOutcome]. Same bytes in, same state out, on every member: nothing here sees a clock, a
/// flag that may differ between members without saying so, or randomness.
///
/// - [Request], [Compare] and [RequestHeader] are what an entry of the log says; [RequestCodec] knows its bytes.
/// - [RequestChecks] and [RequestCost] are what a member asks before it proposes.
/// - [Response] and [ResponseCodec] are what a client hears.
/// - `keys` holds the keys, `backend` the file; `lease`, `alarm`, `membership` and `schema` the rest.
///
/// Everything mutable belongs to the apply loop.
@NullMarked
package dev.kvorum.state;

import org.jspecify.annotations.NullMarked;
