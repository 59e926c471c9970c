package dev.kvorum.server;

import java.util.Locale;

/// What this program says it is. Operators' tools compare the version with etcd's, so it is etcd's.
public final class BuildInfo {
  /// The version of etcd whose behaviour this is.
  public static final String ETCD_VERSION = "3.7.1";

  private static final String SHA_PROPERTY = "kvorum.git.sha";

  private BuildInfo() {}

  /// The commit this was built from, as far as the launcher knows.
  public static String gitSha() {
    return System.getProperty(SHA_PROPERTY, "Not provided");
  }

  /// The runtime, where etcd names its Go version.
  public static String runtime() {
    return "java" + Runtime.version().feature() + "." + Runtime.version().interim() + "." + Runtime.version().update();
  }

  /// In Go's words: `linux`, `darwin`.
  public static String os() {
    String name = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    return name.startsWith("mac") ? "darwin" : name.startsWith("windows") ? "windows" : name;
  }

  /// In Go's words: `amd64`, `arm64`.
  public static String architecture() {
    String arch = System.getProperty("os.arch", "");
    return arch.equals("aarch64") ? "arm64" : arch.equals("x86_64") ? "amd64" : arch;
  }

  /// The four lines of `--version`.
  static String lines() {
    return "etcd Version: " + ETCD_VERSION
        + "\nGit SHA: " + gitSha()
        + "\nGo Version: " + runtime()
        + "\nGo OS/Arch: " + os() + "/" + architecture() + "\n";
  }
}
