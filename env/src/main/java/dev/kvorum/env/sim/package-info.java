/// A world to test in: it obeys the interfaces of [dev.kvorum.env] to the letter and is as unkind as they allow.
///
/// Starting point: [SimDisk], a disk in memory. Without further ado it is a plain, fast file system. It can lose power
/// at any of its operations and keep any [Survival] of what was not synced; it can be told to fail by [Faults], to rot
/// and to be full.
///
/// ```text
/// SimDisk disk = SimDisk.recording();              // one run of some work ...
/// work(disk, note -> notes.put(disk.operations(), note));
/// for (long op = 0; op <= disk.operations(); op++) // ... stands for a power failure at each of its operations
///   check(disk.afterPowerLoss(op, random), notes.headMap(op, true));
/// ```
@NullMarked
package dev.kvorum.env.sim;

import org.jspecify.annotations.NullMarked;
