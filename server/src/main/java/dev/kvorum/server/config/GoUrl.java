package dev.kvorum.server.config;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;

/// One URL that a member listens on or tells others: a scheme and an address, nothing more.
///
/// @param scheme `http`, `https`, `unix` or `unixs`
/// @param address `host:port`, or for sockets the path (for `unix://name:1` the whole `name:1`)
/// @param text as it is written in lists and logs; two URLs are the same when their texts are
public record GoUrl(String scheme, String address, String text) implements Comparable<GoUrl> {
  private static final String DELIMITERS = "/?#";

  /// Reads one URL by the rules etcd has for its own.
  ///
  /// @throws ValueException with etcd's text
  public static GoUrl parse(String given) throws ValueException {
    String in = given.strip();
    int fragment = in.indexOf('#');
    String plain = fragment < 0 ? in : in.substring(0, fragment);
    rejectControlCharacters(in);
    int colon = endOfScheme(in, plain);
    String scheme = colon < 0 ? "" : plain.substring(0, colon).toLowerCase(Locale.ROOT);
    String rest = colon < 0 ? plain : plain.substring(colon + 1);
    String host = "";
    String path = rest;
    if (rest.startsWith("//")) {
      int end = firstDelimiter(rest, 2);
      host = hostOf(in, rest.substring(2, end));
      path = rest.substring(end);
    } else if (colon < 0) {
      rejectColonInFirstSegment(in, rest);
    }
    int query = path.indexOf('?');
    path = query < 0 ? path : path.substring(0, query);
    switch (scheme) {
      case "http", "https" -> {
        if (!hasPort(host)) {
          throw new ValueException("URL address does not have the form \"host:port\": " + in);
        }
        if (!path.isEmpty()) {
          throw new ValueException("URL must not contain a path: " + in);
        }
        return new GoUrl(scheme, host, scheme + in.substring(colon));
      }
      case "unix", "unixs" -> {
        return new GoUrl(scheme, host + path, scheme + in.substring(colon));
      }
      default -> throw new ValueException("URL scheme must be http, https, unix, or unixs: " + in);
    }
  }

  /// Reads a comma list: sorted, each URL once.
  public static List<GoUrl> parseList(String commaList) throws ValueException {
    TreeSet<GoUrl> urls = new TreeSet<>();
    for (String one : commaList.split(",", -1)) {
      urls.add(parse(one));
    }
    return List.copyOf(new ArrayList<>(urls));
  }

  /// The texts, joined by commas.
  public static String join(Collection<GoUrl> urls) {
    return String.join(",", texts(urls));
  }

  public static List<String> texts(Collection<GoUrl> urls) {
    return urls.stream().map(GoUrl::text).toList();
  }

  public boolean isUnix() {
    return scheme.startsWith("unix");
  }

  /// True when the scheme asks for TLS.
  public boolean isSecure() {
    return scheme.equals("https") || scheme.equals("unixs");
  }

  /// The host without its port and brackets; empty for `:80`.
  public String host() {
    if (address.startsWith("[")) {
      return address.substring(1, address.indexOf(']'));
    }
    int colon = address.lastIndexOf(':');
    return colon < 0 ? address : address.substring(0, colon);
  }

  /// The text behind the last colon; empty when there is none.
  public String port() {
    int colon = address.lastIndexOf(':');
    return colon < 0 || address.endsWith("]") ? "" : address.substring(colon + 1);
  }

  @Override
  public int compareTo(GoUrl other) {
    return Comparator.comparing(GoUrl::text).compare(this, other);
  }

  @Override
  public String toString() {
    return text;
  }

  private static void rejectControlCharacters(String in) throws ValueException {
    for (int i = 0; i < in.length(); i++) {
      if (in.charAt(i) < ' ' || in.charAt(i) == 0x7f) {
        throw parseFailure(in, "net/url: invalid control character in URL");
      }
    }
  }

  /// @return the index of the colon behind the scheme, or -1 when the text starts with none
  private static int endOfScheme(String in, String plain) throws ValueException {
    for (int i = 0; i < plain.length(); i++) {
      char c = plain.charAt(i);
      boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (c == ':') {
        if (i == 0) {
          throw parseFailure(in, "missing protocol scheme");
        }
        return i;
      }
      boolean inner = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
      if (!letter && !(inner && i > 0)) {
        return -1;
      }
    }
    return -1;
  }

  private static void rejectColonInFirstSegment(String in, String rest) throws ValueException {
    int colon = rest.indexOf(':');
    int slash = rest.indexOf('/');
    if (colon >= 0 && (slash < 0 || colon < slash)) {
      throw parseFailure(in, "first path segment in URL cannot contain colon");
    }
  }

  private static int firstDelimiter(String text, int from) {
    for (int i = from; i < text.length(); i++) {
      if (DELIMITERS.indexOf(text.charAt(i)) >= 0) {
        return i;
      }
    }
    return text.length();
  }

  /// Checks an authority and drops its user part.
  private static String hostOf(String in, String authority) throws ValueException {
    String host = authority.substring(authority.lastIndexOf('@') + 1);
    String port;
    if (host.startsWith("[")) {
      int close = host.lastIndexOf(']');
      if (close < 0) {
        throw parseFailure(in, "missing ']' in host");
      }
      port = host.substring(close + 1);
    } else {
      int colon = host.indexOf(':');
      port = colon < 0 ? "" : host.substring(colon);
    }
    if (!port.isEmpty() && !port.matches(":[0-9]*")) {
      throw parseFailure(in, "invalid port " + GoText.quote(port) + " after host");
    }
    for (int i = 0; i < host.length(); i++) {
      char c = host.charAt(i);
      if (c == '%') {
        throw parseFailure(in, "invalid URL escape " + GoText.quote(host.substring(i, Math.min(i + 3, host.length()))));
      }
      if (" \"<>\\^`{|}".indexOf(c) >= 0) {
        throw parseFailure(in, "invalid character " + GoText.quote(String.valueOf(c)) + " in host name");
      }
    }
    return host;
  }

  private static boolean hasPort(String host) {
    if (host.startsWith("[")) {
      return host.indexOf("]:") > 0;
    }
    return host.indexOf(':') >= 0 && host.indexOf(':') == host.lastIndexOf(':');
  }

  private static ValueException parseFailure(String in, String why) {
    return new ValueException("parse " + GoText.quote(in) + ": " + why);
  }
}
