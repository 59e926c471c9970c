package dev.kvorum.server.log;

import org.slf4j.Marker;
import org.slf4j.MarkerFactory;

/// Levels above error, which slf4j has no words for: log at error with one of these markers.
public final class Loud {
  /// The process ends with this line.
  public static final Marker FATAL = MarkerFactory.getMarker("fatal");

  /// We are wrong somewhere, and what was running cannot go on.
  public static final Marker PANIC = MarkerFactory.getMarker("panic");

  private Loud() {}
}
