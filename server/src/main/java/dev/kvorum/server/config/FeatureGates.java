package dev.kvorum.server.config;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Which features are on.
///
/// @param asked what `--feature-gates` said, by name
/// @param on the state of every gate, by name
public record FeatureGates(Map<String, Boolean> asked, Map<String, Boolean> on) {
  /// A gate and how ripe it is: `ALPHA` or `BETA`.
  public enum Gate {
    StopGRPCServiceOnDefrag("ALPHA", false),
    InitialCorruptCheck("ALPHA", false),
    CompactHashCheck("ALPHA", false),
    TxnModeWriteWithSharedBuffer("BETA", true),
    LeaseCheckpoint("ALPHA", false),
    LeaseCheckpointPersist("ALPHA", false),
    SetMemberLocalAddr("ALPHA", false),
    FastLeaseKeepAlive("BETA", true),
    PriorityRequest("ALPHA", false),
    /// Turns on what is ALPHA and was not named.
    AllAlpha("ALPHA", false),
    /// Sets what is BETA and was not named.
    AllBeta("BETA", false);

    private final String stage;
    private final boolean byDefault;

    Gate(String stage, boolean byDefault) {
      this.stage = stage;
      this.byDefault = byDefault;
    }

    public String stage() {
      return stage;
    }

    public boolean byDefault() {
      return byDefault;
    }
  }

  /// Reads `Name=true,Other=false`; of a name given twice the last counts.
  ///
  /// @throws ValueException with etcd's text, such as `unrecognized feature gate: Foo`
  public static FeatureGates parse(String text) throws ValueException {
    Map<String, Boolean> asked = new TreeMap<>();
    for (String pair : text.split(",", -1)) {
      if (pair.isBlank()) {
        continue;
      }
      int equals = pair.indexOf('=');
      String name = (equals < 0 ? pair : pair.substring(0, equals)).strip();
      if (equals < 0) {
        throw new ValueException("missing bool value for " + name);
      }
      asked.put(name, parseState(name, pair.substring(equals + 1).strip()));
    }
    Map<String, Boolean> on = new TreeMap<>();
    for (Gate gate : Gate.values()) {
      on.put(gate.name(), gate.byDefault());
    }
    for (String name : asked.keySet()) {
      if (!on.containsKey(name)) {
        throw new ValueException("unrecognized feature gate: " + name);
      }
    }
    setStage(Gate.AllAlpha, asked, on);
    setStage(Gate.AllBeta, asked, on);
    on.putAll(asked);
    return new FeatureGates(Collections.unmodifiableMap(asked), Collections.unmodifiableMap(on));
  }

  public boolean isOn(Gate gate) {
    return on.getOrDefault(gate.name(), false);
  }

  /// What was asked for, as it is echoed in the log.
  @Override
  public String toString() {
    return asked.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).collect(Collectors.joining(","));
  }

  private static boolean parseState(String name, String state) throws ValueException {
    try {
      return GoText.parseBool(state);
    } catch (ValueException e) {
      throw new ValueException(
          "invalid value of " + name + "=" + state + ", err: strconv.ParseBool: parsing " + GoText.quote(state)
              + ": invalid syntax");
    }
  }

  private static void setStage(Gate all, Map<String, Boolean> asked, Map<String, Boolean> on) {
    Boolean state = asked.get(all.name());
    if (state == null) {
      return;
    }
    for (Gate gate : Gate.values()) {
      if (gate.stage().equals(all.stage()) && gate != Gate.AllAlpha && gate != Gate.AllBeta) {
        on.put(gate.name(), state);
      }
    }
  }
}
