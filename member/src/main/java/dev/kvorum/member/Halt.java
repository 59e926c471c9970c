package dev.kvorum.member;

/// How a loop says that it cannot go on: the disk failed, or we are wrong somewhere. The member stops, the JVM does not.
@FunctionalInterface
interface Halt {
  void because(String what, Throwable cause);
}
