package dev.kvorum.sim.client;

import dev.kvorum.api.EtcdException;

/// What became of a question.
sealed interface Heard {
  record Answered(byte[] bytes) implements Heard {}

  record Refused(EtcdException why) implements Heard {}

  /// It never reached a member.
  record NotAsked() implements Heard {}

  /// Nothing, in time.
  record Nothing() implements Heard {}

  Heard NOT_ASKED = new NotAsked();
  Heard NOTHING = new Nothing();
}
