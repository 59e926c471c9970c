package dev.kvorum.server;

import dev.kvorum.server.config.GoUrl;
import dev.kvorum.server.config.ServerConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/// What must fit together before the first start of a member; later starts go by the data directory instead.
final class BootstrapRules {
  private final ServerConfig config;
  private final Map<String, List<GoUrl>> cluster;

  private BootstrapRules(ServerConfig config) {
    this.config = config;
    this.cluster = config.bootstrap().cluster();
  }

  /// @throws IOException with etcd's words when the first start cannot be
  static void check(ServerConfig config) throws IOException {
    BootstrapRules rules = new BootstrapRules(config);
    rules.discovery();
    rules.localName();
    if (!config.bootstrap().existing()) {
      rules.duplicates();
    }
    rules.advertised();
    if (config.maxLearners() < 0) {
      throw new IOException("membership: too many learner members in cluster");
    }
  }

  private void discovery() throws IOException {
    if (!config.discovery().endpoints().isEmpty() || !config.discovery().srv().isEmpty()) {
      throw new IOException("discovery is not available in this release of Kvorum");
    }
  }

  private void localName() throws IOException {
    if (!cluster.containsKey(config.name())) {
      throw new IOException(
          "couldn't find local name \"" + config.name() + "\" in the initial cluster configuration");
    }
  }

  private void duplicates() throws IOException {
    TreeSet<GoUrl> seen = new TreeSet<>();
    for (List<GoUrl> urls : cluster.values()) {
      for (GoUrl url : urls) {
        if (!seen.add(url)) {
          throw new IOException("initial cluster " + clusterText() + " has duplicate url");
        }
      }
    }
  }

  private String clusterText() {
    List<String> parts = new ArrayList<>();
    cluster.forEach((name, urls) -> urls.forEach(url -> parts.add(name + "=" + url)));
    parts.sort(null);
    return String.join(",", parts);
  }

  /// What we tell others must be what the cluster is told about us, by name or once names are resolved.
  private void advertised() throws IOException {
    List<GoUrl> told = cluster.getOrDefault(config.name(), List.of());
    List<GoUrl> advertised = config.listeners().advertisePeer();
    List<String> resolvedAdvertised = advertised.stream().map(BootstrapRules::resolved).sorted().toList();
    List<String> resolvedTold = told.stream().map(BootstrapRules::resolved).sorted().toList();
    if (told.equals(advertised) || resolvedAdvertised.equals(resolvedTold)) {
      return;
    }
    for (GoUrl url : told) {
      if (!resolvedAdvertised.contains(resolved(url))) {
        throw new IOException(
            "--initial-cluster has " + config.name() + "=" + url
                + " but missing from --initial-advertise-peer-urls=" + GoUrl.join(advertised)
                + " (resolved urls: \"" + String.join(",", resolvedAdvertised) + "\" != \""
                + String.join(",", resolvedTold) + "\")");
      }
    }
    for (GoUrl url : advertised) {
      if (!resolvedTold.contains(resolved(url))) {
        throw new IOException(
            "--initial-advertise-peer-urls has " + url + " but missing from --initial-cluster="
                + config.name() + "=" + GoUrl.join(told));
      }
    }
  }

  /// The URL with its host's address; `localhost` stays, as does what no one knows.
  private static String resolved(GoUrl url) {
    if (url.isUnix() || url.host().equals("localhost")) {
      return url.text();
    }
    try {
      return url.scheme() + "://" + InetAddress.getByName(url.host()).getHostAddress() + ":" + url.port();
    } catch (UnknownHostException e) {
      return url.text();
    }
  }
}
