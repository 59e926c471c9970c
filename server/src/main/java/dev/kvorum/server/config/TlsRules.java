package dev.kvorum.server.config;

import dev.kvorum.server.config.ServerConfig.Listeners;
import dev.kvorum.server.config.ServerConfig.Tls;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// What URLs, certificates and cipher suites must have to do with each other.
final class TlsRules {
  private static final Set<String> SUITES =
      new TreeSet<>(
          List.of(
              "TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA",
              "TLS_RSA_WITH_AES_256_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256",
              "TLS_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
              "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
              "TLS_ECDHE_RSA_WITH_RC4_128_SHA", "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
              "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
              "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
              "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
              "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
              "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
              "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
              "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"));

  private TlsRules() {}

  static void check(Listeners listeners, Tls client, Tls peer, List<String> cipherSuites) throws ValueException {
    for (String suite : cipherSuites) {
      if (!SUITES.contains(suite)) {
        throw new ValueException("unexpected TLS cipher suite " + GoText.quote(suite));
      }
    }
    for (GoUrl url : listeners.peer()) {
      if (url.isSecure() && !peer.isGiven() && !peer.auto()) {
        throw new ValueException(
            "cannot listen on TLS for " + url.address() + ": KeyFile and CertFile are not presented");
      }
    }
    checkClient(listeners.client(), client);
    checkClient(listeners.clientHttp(), client);
    for (GoUrl url : listeners.metrics()) {
      if (url.isSecure() && !client.isGiven() && !client.auto()) {
        throw new ValueException(
            "client TLS key/cert (--cert-file, --key-file) must be provided for metrics secure url");
      }
    }
  }

  /// Certificates that no URL asks for are more likely a slip than a wish.
  static void warnOfUnused(Listeners listeners, Tls client, Tls peer, List<Note> notes) {
    for (GoUrl url : listeners.peer()) {
      if (!url.isSecure() && peer.isGiven()) {
        notes.add(
            Note.warn(
                "scheme is HTTP while key and cert files are present; ignoring key and cert files",
                "peer-url", url.text()));
      }
    }
    for (GoUrl url : listeners.client()) {
      if (!url.isSecure() && client.isGiven()) {
        notes.add(
            Note.warn(
                "scheme is http or unix while key and cert files are present; ignoring key and cert files",
                "client-url", url.text()));
      }
    }
  }

  private static void checkClient(List<GoUrl> urls, Tls client) throws ValueException {
    for (GoUrl url : urls) {
      if (url.isSecure() && !client.isGiven() && !client.auto()) {
        throw new ValueException(
            "TLS key/cert (--cert-file, --key-file) must be provided for client url " + url + " with HTTPS scheme");
      }
    }
  }
}
