package dev.kvorum.server.config;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Reads a configuration file: keys are flag names, a few of them nested; unknown keys are ignored; a key set to null
/// keeps its default.
final class ConfigFile {
  /// Where etcd keeps a key, as its type errors name it; keys not here are in `configYAML.Config`.
  private static final List<String> JSON_KEYS =
      List.of(
          "listen-peer-urls", "listen-client-urls", "listen-client-http-urls", "initial-advertise-peer-urls",
          "advertise-client-urls", "listen-metrics-urls", "cors", "host-whitelist", "feature-gates");

  private final Map<String, Flag> byKey = new HashMap<>();
  private final TreeSet<String> parents = new TreeSet<>();
  private final ConfigValues into;

  private ConfigFile(ConfigValues into) {
    this.into = into;
    for (Flag flag : FlagTable.SERVER.all()) {
      if (flag.yamlKey().isEmpty()) {
        continue;
      }
      byKey.put(flag.yamlKey(), flag);
      String key = flag.yamlKey();
      for (int dot = key.lastIndexOf('.'); dot > 0; dot = key.lastIndexOf('.')) {
        key = key.substring(0, dot);
        parents.add(key);
      }
    }
  }

  /// A value that etcd's own reader reports on plain stderr instead of in the log.
  static final class PlainException extends Exception {
    private static final long serialVersionUID = 1L;

    PlainException(String message) {
      super(message);
    }
  }

  /// Reads `file` over the defaults in `into`.
  ///
  /// @throws ValueException when it cannot be opened, is no YAML, or holds a value of a wrong type
  /// @throws PlainException when it holds a bad URL
  static void read(Path file, ConfigValues into) throws ValueException, PlainException {
    Object root = YamlTree.parse(contentOf(file));
    if (root == null) {
      return;
    }
    if (!(root instanceof Map<?, ?> map)) {
      throw new ValueException(
          "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal " + kindOf(root)
              + " into Go value of type embed.configYAML");
    }
    new ConfigFile(into).readMap("", map);
  }

  private static String contentOf(Path file) throws ValueException {
    try {
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      throw new ValueException("open " + file + ": no such file or directory");
    } catch (AccessDeniedException e) {
      throw new ValueException("open " + file + ": permission denied");
    } catch (IOException e) {
      String why = Files.isDirectory(file) ? "is a directory" : e.getMessage();
      throw new ValueException("read " + file + ": " + why);
    }
  }

  private void readMap(String prefix, Map<?, ?> map) throws ValueException, PlainException {
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      String key = prefix + entry.getKey().toString().toLowerCase(Locale.ROOT);
      Object value = entry.getValue();
      Flag flag = byKey.get(key);
      if (value == null) {
        continue;
      }
      if (flag != null) {
        readValue(flag, value);
      } else if (parents.contains(key)) {
        if (!(value instanceof Map<?, ?> child)) {
          throw wrongType(key, value, structTypeOf(key));
        }
        readMap(key + ".", child);
      }
    }
  }

  private void readValue(Flag flag, Object value) throws ValueException, PlainException {
    switch (flag.type()) {
      case BOOL -> into.put(flag, expect(flag, value, Boolean.class));
      case INT, INT64, UINT, UINT32, UINT64, DURATION -> into.put(flag, wholeNumber(flag, value));
      case SET, LIST -> readList(flag, value);
      case URLS, ORIGINS -> readUrls(flag, expect(flag, value, String.class));
      case V2_DEPRECATION, FALLBACK, STRING -> into.put(flag, expect(flag, value, String.class));
      case CLUSTER_STATE -> {
        String state = expect(flag, value, String.class);
        if (!state.isEmpty() && !state.equals("new") && !state.equals("existing")) {
          throw new ValueException("unexpected clusterState " + GoText.quote(state));
        }
        into.put(flag, state.isEmpty() ? "new" : state);
      }
      case GATES -> into.set(flag, expect(flag, value, String.class));
      case IGNORED -> {}
    }
  }

  private void readList(Flag flag, Object value) throws ValueException {
    if (flag.name().equals("host-whitelist")) {
      into.set(flag, expect(flag, value, String.class));
      return;
    }
    if (!(value instanceof List<?> items)) {
      throw wrongType(flag.yamlKey(), value, flag.type().goName());
    }
    List<String> texts = new ArrayList<>();
    for (Object item : items) {
      if (!(item instanceof String text)) {
        throw wrongType(flag.yamlKey(), item, "string");
      }
      texts.add(text);
    }
    into.put(flag, List.copyOf(texts));
  }

  private void readUrls(Flag flag, String text) throws ValueException, PlainException {
    if (text.isEmpty()) {
      return;
    }
    try {
      into.set(flag, text);
    } catch (ValueException e) {
      if (flag.type() == FlagType.ORIGINS) {
        throw e;
      }
      String called = flag.name().equals("advertise-client-urls") ? "advertise-peer-urls" : flag.name();
      throw new PlainException("unexpected error setting up " + called + ": " + e.getMessage());
    }
  }

  private static long wholeNumber(Flag flag, Object value) throws ValueException {
    boolean duration = flag.type() == FlagType.DURATION;
    BigDecimal number = expect(flag, value, BigDecimal.class);
    BigDecimal min = new BigDecimal(duration ? FlagType.INT64_MIN : flag.type().min());
    BigDecimal max = new BigDecimal(duration ? FlagType.INT64_MAX : flag.type().max());
    boolean whole = number.stripTrailingZeros().scale() <= 0;
    if (!whole || number.compareTo(min) < 0 || number.compareTo(max) > 0) {
      throw typeError(flag.yamlKey(), "number " + number.toPlainString(), flag.type().goName());
    }
    return number.toBigInteger().longValue();
  }

  private static <T> T expect(Flag flag, Object value, Class<T> type) throws ValueException {
    if (!type.isInstance(value)) {
      throw wrongType(flag.yamlKey(), value, flag.type() == FlagType.SET ? "string" : flag.type().goName());
    }
    return type.cast(value);
  }

  private static ValueException wrongType(String key, @Nullable Object value, String wanted) {
    return typeError(key, kindOf(value), wanted);
  }

  private static ValueException typeError(String key, String found, String wanted) {
    return new ValueException(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal " + found + " into Go struct field "
            + ownerOf(key) + "." + key + " of type " + wanted);
  }

  private static String kindOf(@Nullable Object value) {
    return switch (value) {
      case null -> "null";
      case Boolean ignored -> "bool";
      case BigDecimal ignored -> "number";
      case String ignored -> "string";
      case List<?> ignored -> "array";
      default -> "object";
    };
  }

  private static String ownerOf(String key) {
    if (key.contains("-transport-security.")) {
      return "securityConfig.configJSON";
    }
    if (key.endsWith("-transport-security") || JSON_KEYS.contains(key)) {
      return "configYAML.configJSON";
    }
    if (key.startsWith("discovery-config.client.secure.")) {
      return "SecureConfig.Config";
    }
    if (key.startsWith("discovery-config.client.auth.")) {
      return "AuthConfig.Config";
    }
    if (key.startsWith("discovery-config.client.")) {
      return "ConfigSpec.Config";
    }
    if (key.startsWith("discovery-config.")) {
      return "DiscoveryConfig.Config";
    }
    return key.startsWith("socket-options.") ? "SocketOpts.Config" : "configYAML.Config";
  }

  private static String structTypeOf(String key) {
    return switch (key) {
      case "client-transport-security", "peer-transport-security" -> "embed.securityConfig";
      case "socket-options" -> "transport.SocketOpts";
      case "discovery-config" -> "v3discovery.DiscoveryConfig";
      case "discovery-config.client.secure" -> "clientv3.SecureConfig";
      case "discovery-config.client.auth" -> "clientv3.AuthConfig";
      default -> "clientv3.ConfigSpec";
    };
  }
}
