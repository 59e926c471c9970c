package dev.kvorum.member;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The addresses of a member as somebody typed them.
final class PeerUrls {
  private PeerUrls() {}

  /// @return `urls` trimmed and in order, or null when there is none, or one that no member can be reached at
  static @Nullable List<String> sortedOrNull(List<String> urls) {
    List<String> sorted = new ArrayList<>();
    for (String url : urls) {
      String trimmed = url.trim();
      if (!isValid(trimmed)) {
        return null;
      }
      sorted.add(trimmed);
    }
    sorted.sort(null);
    return sorted.isEmpty() ? null : sorted;
  }

  private static boolean isValid(String url) {
    try {
      URI uri = new URI(url);
      return switch (uri.getScheme() == null ? "" : uri.getScheme()) {
        case "http", "https" ->
            uri.getRawAuthority() != null
                && uri.getRawAuthority().lastIndexOf(':') > uri.getRawAuthority().lastIndexOf(']')
                && (uri.getRawPath() == null || uri.getRawPath().isEmpty());
        case "unix", "unixs" -> true;
        default -> false;
      };
    } catch (URISyntaxException e) {
      return false;
    }
  }
}
