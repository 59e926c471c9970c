/// What etcd's key space is, written down a second time and as simply as possible, to judge the real one by.
///
/// Starting point: [Store], the state; [Answer], what a client hears; [Linearizer], which finds the order of operations
/// that explains what all clients heard, or shows that there is none.
@NullMarked
package dev.kvorum.sim.model;

import org.jspecify.annotations.NullMarked;
