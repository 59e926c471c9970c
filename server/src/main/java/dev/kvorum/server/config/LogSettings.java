package dev.kvorum.server.config;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import dev.kvorum.server.config.ServerConfig.LogRotation;
import dev.kvorum.server.config.ServerConfig.Logging;
import java.io.StringReader;
import java.util.List;

/// Checks and reads what was said about logging, which etcd checks before all else.
final class LogSettings {
  private static final List<String> LEVELS = List.of("", "debug", "info", "warn", "error", "panic", "fatal");
  private static final String JOURNAL = "systemd/journal";

  private LogSettings() {}

  /// A level that is none: etcd dies of it with exit code 2.
  static final class UnknownLevelException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnknownLevelException(String message) {
      super(message);
    }
  }

  static void check(ConfigValues values) throws ValueException {
    String logger = values.text("logger");
    if (!logger.equals("zap")) {
      throw new ValueException(
          logger.equals("capnslog")
              ? "--logger=capnslog is removed in v3.5"
              : "unknown logger option " + GoText.quote(logger));
    }
    List<String> outputs = values.strings("log-outputs");
    if (outputs.size() > 1 && outputs.contains("default")) {
      throw new ValueException("multi logoutput for \"default\" is not supported yet");
    }
    boolean rotate = values.bool("enable-log-rotation");
    if (rotate) {
      checkRotation(outputs);
      rotation(values.text("log-rotation-config-json"));
    }
    String format = values.text("log-format");
    if (!format.isEmpty() && !format.equals("json") && !format.equals("console")) {
      throw new ValueException("unknown log format: " + format + ", supported values json, console");
    }
    if (outputs.size() > 1 && outputs.contains(JOURNAL)) {
      throw new ValueException(
          "running with systemd/journal but other '--log-outputs' values ("
              + outputs.stream().map(GoText::quote).toList().toString().replace(", ", " ")
              + ") are configured with 'default'; override 'default' value with something else");
    }
    String level = values.text("log-level");
    if (!LEVELS.contains(level)) {
      throw new UnknownLevelException("unrecognized level: " + GoText.quote(level));
    }
  }

  /// @throws ValueException when rotation is on and its settings are no such settings
  static Logging read(ConfigValues values) throws ValueException {
    boolean rotate = values.bool("enable-log-rotation");
    String level = values.text("log-level");
    return new Logging(
        values.strings("log-outputs"),
        level.isEmpty() ? "info" : level,
        values.text("log-format").equals("console"),
        rotate,
        rotate ? rotation(values.text("log-rotation-config-json")) : new LogRotation(100, 0, 0, false, false));
  }

  private static void checkRotation(List<String> outputs) throws ValueException {
    boolean onePath =
        outputs.size() == 1 && !List.of("default", "stderr", "stdout", JOURNAL).contains(outputs.getFirst());
    if (!onePath) {
      throw new ValueException(
          "--log-outputs requires a single file path when --log-rotate-config-json is defined");
    }
  }

  private static LogRotation rotation(String json) throws ValueException {
    JsonElement settings;
    try {
      JsonReader reader = new JsonReader(new StringReader(json));
      reader.setStrictness(Strictness.STRICT);
      settings = JsonParser.parseReader(reader);
    } catch (JsonParseException e) {
      throw new ValueException("improperly formatted log rotation config: not a JSON object");
    }
    if (!(settings instanceof JsonObject fields)) {
      throw new ValueException("improperly formatted log rotation config: not a JSON object");
    }
    return new LogRotation(
        number(fields, "maxsize"),
        number(fields, "maxage"),
        number(fields, "maxbackups"),
        bool(fields, "localtime"),
        bool(fields, "compress"));
  }

  private static int number(JsonObject settings, String key) throws ValueException {
    JsonElement value = settings.get(key);
    if (value == null || value.isJsonNull()) {
      return 0;
    }
    if (value instanceof JsonPrimitive primitive && primitive.isNumber()) {
      return primitive.getAsInt();
    }
    throw wrongType(value, key, "int");
  }

  private static boolean bool(JsonObject settings, String key) throws ValueException {
    JsonElement value = settings.get(key);
    if (value == null || value.isJsonNull()) {
      return false;
    }
    if (value instanceof JsonPrimitive primitive && primitive.isBoolean()) {
      return primitive.getAsBoolean();
    }
    throw wrongType(value, key, "bool");
  }

  private static ValueException wrongType(JsonElement value, String key, String wanted) {
    String found =
        switch (value) {
          case JsonPrimitive p when p.isBoolean() -> "bool";
          case JsonPrimitive p when p.isNumber() -> "number";
          case JsonPrimitive ignored -> "string";
          case JsonObject ignored -> "object";
          default -> "array";
        };
    return new ValueException(
        "invalid log rotation config: json: cannot unmarshal " + found
            + " into Go struct field logRotationConfig.Logger." + key + " of type " + wanted);
  }
}
