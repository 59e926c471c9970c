package dev.kvorum.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GoUrlTest {
  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "http://localhost:2379, http, localhost, 2379, http://localhost:2379",
    "HTTP://127.0.0.1:1, http, 127.0.0.1, 1, http://127.0.0.1:1",
    "https://[::1]:2379, https, ::1, 2379, https://[::1]:2379",
    "http://127.0.0.1:, http, 127.0.0.1, '', http://127.0.0.1:",
    "http://:2380, http, '', 2380, http://:2380",
    "http://user@127.0.0.1:1, http, 127.0.0.1, 1, http://user@127.0.0.1:1",
    "unix:///run/etcd.sock, unix, /run/etcd.sock, '', unix:///run/etcd.sock",
    "unixs://localhost:7, unixs, localhost, 7, unixs://localhost:7",
  })
  void isTakenApart(String text, String scheme, String host, String port, String written) throws ValueException {
    GoUrl url = GoUrl.parse(text);
    assertThat(url.scheme()).isEqualTo(scheme);
    assertThat(url.host()).isEqualTo(host);
    assertThat(url.port()).isEqualTo(port);
    assertThat(url).hasToString(written);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          localhost:2379         | URL scheme must be http, https, unix, or unixs: localhost:2379
          foo                    | URL scheme must be http, https, unix, or unixs: foo
          ftp://localhost:1      | URL scheme must be http, https, unix, or unixs: ftp://localhost:1
          http://localhost       | URL address does not have the form "host:port": http://localhost
          http:127.0.0.1:2380    | URL address does not have the form "host:port": http:127.0.0.1:2380
          http://localhost:1/x   | URL must not contain a path: http://localhost:1/x
          http://localhost:1/    | URL must not contain a path: http://localhost:1/
          127.0.0.1:2380         | parse "127.0.0.1:2380": first path segment in URL cannot contain colon
          :2380                  | parse ":2380": missing protocol scheme
          http://[::1:2380       | parse "http://[::1:2380": missing ']' in host
          http://::1:2380        | parse "http://::1:2380": invalid port "::1:2380" after host
          http://127.0.0.1:abc   | parse "http://127.0.0.1:abc": invalid port ":abc" after host
          http://a b:1           | parse "http://a b:1": invalid character " " in host name
          http://%41:1           | parse "http://%41:1": invalid URL escape "%41"
          """)
  void isRefusedInEtcdsWords(String text, String message) {
    assertThatThrownBy(() -> GoUrl.parse(text)).isInstanceOf(ValueException.class).hasMessage(message);
  }
}
