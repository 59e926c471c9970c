package dev.kvorum.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Bad input, and how etcd 3.7.1 refuses it: `bad-input.tsv` was written down from what that program did.
class BadInputTest {
  @TempDir Path directory;

  /// Columns: exit code; `usage`, `plain` or the log message; text; what is wrong with the line's input: variables
  /// (`ETCD_X=y`), the file's content (`file:`, with \n) and words.
  static Stream<Arguments> table() {
    try (var lines = Objects.requireNonNull(BadInputTest.class.getResourceAsStream("bad-input.tsv"))) {
      return new String(lines.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split("\t", -1))
          .map(c -> Arguments.of(String.join(" ", List.of(c).subList(3, c.length)), Integer.parseInt(c[0]), c[1], c[2],
              List.of(c).subList(3, c.length)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("table")
  void isRefusedAsEtcdDoes(String name, int exitCode, String where, String text, List<String> input)
      throws IOException {
    Map<String, String> environment = new TreeMap<>();
    List<String> words = new ArrayList<>();
    for (String part : input) {
      if (part.startsWith("ETCD_")) {
        environment.put(part.substring(0, part.indexOf('=')), part.substring(part.indexOf('=') + 1));
      } else if (part.startsWith("file:")) {
        Path file = Files.writeString(directory.resolve("c.yaml"), part.substring(5).translateEscapes());
        words.addAll(List.of("--config-file", file.toString()));
      } else if (!part.isEmpty()) {
        words.add(part);
      }
    }
    StartRequest request = dev.kvorum.server.config.Arguments.read("etcd", words, environment, () -> "");
    switch (request) {
      case StartRequest.BadUsage(String line) -> {
        assertThat(where).isEqualTo("usage");
        assertThat(line).isEqualTo(text);
        assertThat(exitCode).isEqualTo(2);
      }
      case StartRequest.Refused(int code, String line, List<Note> notes) -> {
        assertThat(code).isEqualTo(exitCode);
        if (where.equals("plain")) {
          assertThat(line).isEqualTo(text);
        } else {
          assertThat(notes.stream().filter(note -> note.message().equals(where)).flatMap(n -> n.fields().stream()))
              .anyMatch(field -> field.toString().equals(text));
        }
      }
      default -> throw new AssertionError("accepted: " + request);
    }
  }
}
