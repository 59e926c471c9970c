package dev.kvorum.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvorum.server.config.Arguments;
import dev.kvorum.server.config.ServerConfig;
import dev.kvorum.server.config.StartRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BootstrapRulesTest {
  private static ServerConfig config(String... words) {
    StartRequest request = Arguments.read("etcd", List.of(words), Map.of(), () -> "");
    assertThat(request).isInstanceOf(StartRequest.Serve.class);
    return ((StartRequest.Serve) request).config();
  }

  @Test
  void theDefaultsFitTogether() {
    assertThatCode(() -> BootstrapRules.check(config())).doesNotThrowAnyException();
    assertThatCode(() -> BootstrapRules.check(config("--name=x", "--initial-advertise-peer-urls=http://127.0.0.1:7")))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --initial-cluster=a=http://127.0.0.1:1 | couldn't find local name "default" in the initial cluster configuration
          --initial-cluster=                     | couldn't find local name "default" in the initial cluster configuration
          --name=                                | couldn't find local name "" in the initial cluster configuration
          --initial-cluster=default=http://localhost:2380,b=http://localhost:2380 | \
          initial cluster b=http://localhost:2380,default=http://localhost:2380 has duplicate url
          --initial-cluster=default=http://127.0.0.1:2380 | \
          --initial-cluster has default=http://127.0.0.1:2380 but missing from \
          --initial-advertise-peer-urls=http://localhost:2380 \
          (resolved urls: "http://localhost:2380" != "http://127.0.0.1:2380")
          --max-learners=-5                      | membership: too many learner members in cluster
          """)
  void whatDoesNotFitIsRefusedInEtcdsWords(String word, String message) {
    assertThatThrownBy(() -> BootstrapRules.check(config(word))).hasMessage(message);
  }
}
