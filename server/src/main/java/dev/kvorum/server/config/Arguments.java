package dev.kvorum.server.config;

import dev.kvorum.server.config.CommandLine.Bad;
import dev.kvorum.server.config.CommandLine.Flags;
import dev.kvorum.server.config.CommandLine.Help;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads what this process was told: words, then `ETCD_*` variables, or a configuration file instead of both.
public final class Arguments {
  private static final String CONFIG_VARIABLE = "ETCD_CONFIG_FILE";
  private static final String NOT_VERIFIED = "failed to verify flags";
  private static final String LOADED =
      "loaded server configuration, other configuration command line flags and environment variables "
          + "will be ignored if provided";
  private static final List<String> OTHER_SERVICES = List.of("gateway", "grpc-proxy");

  private final List<Note> notes = new ArrayList<>();
  private final ConfigValues values = new ConfigValues();
  private final Map<String, String> environment;

  private Arguments(Map<String, String> environment) {
    this.environment = environment;
  }

  /// @param program the word this process was started by, for the log
  /// @param words what followed it
  public static StartRequest read(
      String program, List<String> words, Map<String, String> environment, DefaultHost defaultHost) {
    if (!words.isEmpty() && OTHER_SERVICES.contains(words.getFirst())) {
      return new StartRequest.OtherService(words.getFirst(), words.subList(1, words.size()));
    }
    return new Arguments(environment).request(program, words, defaultHost);
  }

  private StartRequest request(String program, List<String> words, DefaultHost defaultHost) {
    return switch (CommandLine.read(words, values)) {
      case Help() -> new StartRequest.Help();
      case Bad(String why) -> new StartRequest.BadUsage(why);
      case Flags(List<String> rest) when !rest.isEmpty() ->
          refuse(program, words, GoText.quote(rest.getFirst()) + " is not a valid flag");
      case Flags ignored when values.bool("version") -> new StartRequest.Version();
      case Flags ignored -> serve(program, words, defaultHost);
    };
  }

  private StartRequest serve(String program, List<String> words, DefaultHost defaultHost) {
    ConfigValues effective;
    try {
      String given = values.text("config-file");
      String file = given.isEmpty() ? environment.getOrDefault(CONFIG_VARIABLE, "") : given;
      effective = file.isEmpty() ? values : fromFile(file);
      if (file.isEmpty()) {
        Note fatal = fromEnvironment();
        if (fatal != null) {
          return new StartRequest.Refused(1, "", Note.plus(notes, fatal));
        }
      }
      ConfigCheck.run(effective, !file.isEmpty(), notes);
      if (!file.isEmpty()) {
        notes.add(Note.info(LOADED, "path", file));
      }
    } catch (ValueException e) {
      return refuse(program, words, e.getMessage());
    } catch (ConfigFile.PlainException e) {
      return new StartRequest.Refused(1, e.getMessage(), List.copyOf(notes));
    } catch (LogSettings.UnknownLevelException e) {
      return new StartRequest.Refused(
          2, "", Note.plus(notes, Note.fatal(NOT_VERIFIED, "error", e.getMessage())));
    }
    notes.add(running(program, words));
    try {
      ServerConfig config = Resolution.resolve(effective, defaultHost, notes);
      return new StartRequest.Serve(config, List.copyOf(notes));
    } catch (ValueException e) {
      return new StartRequest.Refused(
          1, "", Note.plus(notes, Note.fatal("discovery failed", "error", e.getMessage())));
    }
  }

  private ConfigValues fromFile(String file) throws ValueException, ConfigFile.PlainException {
    ConfigValues fromFile = new ConfigValues();
    ConfigFile.read(Path.of(file), fromFile);
    if (fromFile.number("self-signed-cert-validity") == 0) {
      fromFile.rewrite("self-signed-cert-validity", 1L);
    }
    return fromFile;
  }

  /// Adds variables to flags, and says what etcd says about single ones.
  private @Nullable Note fromEnvironment() throws ValueException {
    Note fatal = EnvironmentVariables.read(environment, values, notes);
    if (fatal != null) {
      return fatal;
    }
    if (values.isGiven("max-snapshots")) {
      notes.add(Note.warn("--max-snapshots is deprecated in 3.6 and will be decommissioned in 3.8."));
    }
    if (values.isGiven("v2-deprecation")) {
      notes.add(
          Note.warn(
              "--v2-deprecation is deprecated and scheduled for removal in v3.8. "
                  + "The default value is enforced, ignoring user input."));
    }
    for (String flag : List.of("raft-read-timeout", "raft-write-timeout")) {
      if (values.number(flag) < 5_000_000_000L) {
        notes.add(Note.info(flag + " increased to minimum value: 5s"));
      }
    }
    if (values.text("discovery-fallback").equals("proxy")) {
      throw new ValueException(
          "v2 proxy is deprecated, and --discovery-fallback can't be configured as \"proxy\"");
    }
    return null;
  }

  private static Note running(String program, List<String> words) {
    List<String> all = new ArrayList<>(List.of(program));
    all.addAll(words);
    return Note.info("Running: ", "args", all);
  }

  private StartRequest refuse(String program, List<String> words, String why) {
    List<Note> all = Note.plus(notes, running(program, words), Note.warn(NOT_VERIFIED, "error", why));
    if (why.equals(ConfigCheck.ADVERTISE_REQUIRED)) {
      all = Note.plus(all, Note.warn("advertise client URLs are not set", "error", why));
    }
    return new StartRequest.Refused(1, "", all);
  }
}
