package dev.kvorum.server.config;

/// The texts that explain how to call the server.
public final class Usage {
  private static final String HOW_TO_CALL =
      """
      Usage:

        etcd [flags]
          Run a member.

        etcd --config-file <file>
          Run a member by a YAML or JSON file. Other flags and variables are then ignored; durations in the file
          are numbers of nanoseconds.

        etcd --version
          Print the version.

        etcd --help
          Explain the flags.

        etcd gateway
          Forward TCP connections to a cluster.

        etcd grpc-proxy
          Forward requests to a cluster, sharing watches, leases and answers.

      Every flag is also an environment variable: --max-txn-ops is ETCD_MAX_TXN_OPS.
      """;

  private Usage() {}

  /// A few lines on the ways to call.
  public static String howToCall() {
    return HOW_TO_CALL;
  }

  /// Every flag by group, with its default.
  public static String flags() {
    StringBuilder text = new StringBuilder(16_384);
    String group = "";
    for (Flag flag : FlagTable.SERVER.all()) {
      if (flag.isHidden()) {
        continue;
      }
      if (!flag.group().equals(group)) {
        group = flag.group();
        text.append('\n').append(group).append(":\n");
      }
      text.append("  --").append(flag.name()).append(" '").append(flag.shownDefault()).append("'\n");
      flag.help().lines().forEach(line -> text.append("    ").append(line).append('\n'));
      if (flag.type() == FlagType.GATES) {
        appendGates(text);
      }
    }
    return text.append('\n').toString();
  }

  private static void appendGates(StringBuilder text) {
    for (FeatureGates.Gate gate : FeatureGates.Gate.values()) {
      text.append("      ").append(gate.name()).append("=true|false (").append(gate.stage()).append(", default ")
          .append(gate.byDefault()).append(")\n");
    }
  }
}
