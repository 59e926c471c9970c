/// Alarms: what the cluster must not do until an operator has looked. Starting point: [Alarms].
@NullMarked
package dev.kvorum.state.alarm;

import org.jspecify.annotations.NullMarked;
