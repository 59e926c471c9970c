package dev.kvorum.server.failpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Failpoint;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The surface that etcd's harnesses drive.
class FailpointServerTest {
  private final List<String> panics = new ArrayList<>();
  private final List<String> printed = new ArrayList<>();
  private final FailpointServer server = new FailpointServer(() -> panics.add("panic"), printed::add);
  private final HttpClient client = HttpClient.newHttpClient();
  private InetSocketAddress address;

  @BeforeEach
  void listen() throws Exception {
    address = server.listen(new InetSocketAddress("127.0.0.1", 0));
  }

  @AfterEach
  void close() {
    server.close();
    client.close();
  }

  private HttpResponse<String> ask(String method, String path, String body) throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + address.getPort() + path);
    return client.send(
        HttpRequest.newBuilder(uri).method(method, BodyPublishers.ofString(body)).build(), BodyHandlers.ofString());
  }

  @Test
  void listsEveryFailpointWithItsTerms() throws Exception {
    assertThat(ask("GET", "/", "").body()).contains("raftBeforeSave=\n", "raftBeforeWALSaveSnaphot=\n");
    ask("PUT", "/raftBeforeSave", "panic");
    assertThat(ask("GET", "/", "").body()).contains("raftBeforeSave=panic\n");
    assertThat(ask("GET", "/raftBeforeSave", "").body()).isEqualTo("panic\n");
  }

  @Test
  void doesWhatWasPlantedUntilItIsTakenAway() throws Exception {
    assertThat(ask("PUT", "/defragOpenFileError", "return(\"no such disk\")").statusCode()).isEqualTo(204);
    assertThat(server.reach(Failpoint.DEFRAG_OPEN_FILE_ERROR)).isEqualTo("no such disk");
    assertThat(server.reach(Failpoint.BEFORE_COMMIT)).isNull();
    assertThat(ask("DELETE", "/defragOpenFileError", "").statusCode()).isEqualTo(204);
    assertThat(server.reach(Failpoint.DEFRAG_OPEN_FILE_ERROR)).isNull();
    assertThat(ask("GET", "/defragOpenFileError", "").statusCode()).isEqualTo(404);
  }

  @Test
  void aCountedTermGivesWayToTheNext() throws Exception {
    ask("PUT", "/beforeCommit", "2*off->1*panic->print");
    for (int i = 0; i < 4; i++) {
      server.reach(Failpoint.BEFORE_COMMIT);
    }
    assertThat(panics).hasSize(1);
    assertThat(printed).containsExactly("beforeCommit");
  }

  @Test
  void aTermOfAChanceHappensNowAndThen() throws Exception {
    ask("PUT", "/beforeCommit", "50.0%panic");
    for (int i = 0; i < 1_000; i++) {
      server.reach(Failpoint.BEFORE_COMMIT);
    }
    assertThat(panics.size()).isBetween(300, 700);
  }

  @Test
  void aSleepTakesItsTime() throws Exception {
    ask("PUT", "/walBeforeSync", "sleep(\"20ms\")");
    long begun = System.nanoTime();
    server.reach(Failpoint.WAL_BEFORE_SYNC);
    assertThat(System.nanoTime() - begun).isGreaterThanOrEqualTo(20_000_000L);
  }

  @Test
  void nonsenseIsRefused() throws Exception {
    assertThat(ask("PUT", "/beforeCommit", "explode").statusCode()).isEqualTo(400);
    assertThat(ask("PUT", "/nowhere", "panic").statusCode()).isEqualTo(404);
    assertThat(ask("POST", "/beforeCommit", "panic").statusCode()).isEqualTo(405);
  }
}
