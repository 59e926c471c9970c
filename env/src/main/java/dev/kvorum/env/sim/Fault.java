package dev.kvorum.env.sim;

/// What goes wrong with one operation.
public sealed interface Fault {
  Fault NONE = new None();
  Fault IO_ERROR = new Fail("Input/output error");
  Fault NO_SPACE = new Fail("No space left on device");

  /// Nothing.
  record None() implements Fault {}

  /// It throws an IOException with `message` and does nothing. A failed sync also leaves what it should have made
  /// durable to chance forever: no later sync of the same bytes repairs that, only writing them again does. Every other
  /// opening of the file there is hears of it once, at its next sync.
  record Fail(String message) implements Fault {}

  /// A write stores at most its first `bytes`, up to the end of a sector in the file (a kernel stops at the end of a
  /// page), then fails with `message`. Other operations fail at once.
  record Short(int bytes, String message) implements Fault {}

  /// It takes `nanos` more, which [SimDisk#onDelay] hears, and then goes as `then` says.
  record Slow(long nanos, Fault then) implements Fault {}

  /// A read returns its byte number `offset` (modulo what was read) with the bits of `mask` flipped; the next read of
  /// the same bytes is right. Other operations go well.
  record Rot(long offset, int mask) implements Fault {}
}
