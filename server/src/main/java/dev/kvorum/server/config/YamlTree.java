package dev.kvorum.server.config;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/// Reads YAML, or JSON, which is YAML, into plain values: `null`, `Boolean`, `BigDecimal`, `String`, `List`, and `Map`
/// in order of its keys.
///
/// Words mean what they mean in YAML 1.1, as for etcd: `yes` and `on` are true, `0777` is octal.
final class YamlTree {
  private static final Pattern FLOAT = Pattern.compile("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");

  private YamlTree() {}

  /// @return null for an empty document
  /// @throws ValueException when it is not YAML
  static @Nullable Object parse(String text) throws ValueException {
    LoadSettings settings = LoadSettings.builder().setAllowDuplicateKeys(true).build();
    try {
      Node root = new Compose(settings).composeString(text).orElse(null);
      return root == null ? null : valueOf(root);
    } catch (MarkedYamlEngineException e) {
      String where = e.getProblemMark().map(mark -> "line " + (mark.getLine() + 1) + ": ").orElse("");
      throw new ValueException("error converting YAML to JSON: yaml: " + where + e.getProblem());
    } catch (YamlEngineException e) {
      throw new ValueException("error converting YAML to JSON: yaml: " + e.getMessage());
    }
  }

  private static @Nullable Object valueOf(Node node) {
    return switch (node) {
      case ScalarNode scalar ->
          scalar.getScalarStyle() == ScalarStyle.PLAIN ? plain(scalar.getValue()) : scalar.getValue();
      case SequenceNode sequence -> {
        List<@Nullable Object> list = new ArrayList<>();
        for (Node child : sequence.getValue()) {
          list.add(valueOf(child));
        }
        yield list;
      }
      case MappingNode mapping -> {
        Map<String, @Nullable Object> map = new TreeMap<>();
        for (NodeTuple tuple : mapping.getValue()) {
          if (tuple.getKeyNode() instanceof ScalarNode key) {
            map.put(key.getValue(), valueOf(tuple.getValueNode()));
          }
        }
        yield map;
      }
      default -> null;
    };
  }

  private static @Nullable Object plain(String word) {
    switch (word) {
      case "", "~", "null", "Null", "NULL" -> {
        return null;
      }
      case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y" -> {
        return Boolean.TRUE;
      }
      case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N" -> {
        return Boolean.FALSE;
      }
      default -> {
        char first = word.charAt(0);
        if (first != '.' && first != '-' && first != '+' && (first < '0' || first > '9')) {
          return word;
        }
        BigInteger whole = GoText.parseInteger(word, true);
        if (whole != null) {
          return new BigDecimal(whole);
        }
        return FLOAT.matcher(word).matches() ? new BigDecimal(word) : word;
      }
    }
  }
}
