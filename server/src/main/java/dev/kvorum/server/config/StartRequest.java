package dev.kvorum.server.config;

import java.util.List;

/// What a command line and an environment come to.
public sealed interface StartRequest {
  /// Start a member.
  ///
  /// @param notes to be logged first, in order
  record Serve(ServerConfig config, List<Note> notes) implements StartRequest {}

  /// Print the flags to stdout and how to call to stderr; exit 0.
  record Help() implements StartRequest {}

  /// Print the version to stdout; exit 0.
  record Version() implements StartRequest {}

  /// Run one of the other services of this executable, with the words behind its name.
  record OtherService(String name, List<String> words) implements StartRequest {}

  /// Cannot start: print `line` and how to call to stderr; exit 2.
  record BadUsage(String line) implements StartRequest {}

  /// Cannot start: print `line`, when there is one, to stderr, log the notes, exit with `exitCode`.
  record Refused(int exitCode, String line, List<Note> notes) implements StartRequest {}
}
