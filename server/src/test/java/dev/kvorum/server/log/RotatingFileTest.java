package dev.kvorum.server.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.server.config.ServerConfig.LogRotation;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RotatingFileTest {
  private static final byte[] MEGABYTE = "x".repeat(1024 * 1024 - 1).concat("\n").getBytes(StandardCharsets.UTF_8);

  @TempDir Path directory;
  private final SetClock clock = new SetClock();

  private static final class SetClock extends Clock {
    private Instant now = Instant.parse("2026-01-31T09:15:04.123Z");

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return now;
    }
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private RotatingFile open(int backups, int days, boolean compress) throws IOException {
    return new RotatingFile(directory.resolve("etcd.log"), new LogRotation(1, days, backups, false, compress), clock);
  }

  @Test
  void aFullFileIsPutAsideUnderItsTime() throws IOException {
    try (RotatingFile file = open(0, 0, false)) {
      file.write(MEGABYTE);
      assertThat(names()).containsExactly("etcd.log");
      file.write("more\n".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(names()).containsExactly("etcd-2026-01-31T09-15-04.123.log", "etcd.log");
    assertThat(Files.readString(directory.resolve("etcd.log"))).isEqualTo("more\n");
    assertThat(directory.resolve("etcd-2026-01-31T09-15-04.123.log")).hasSize(MEGABYTE.length);
  }

  @Test
  void anExistingFileIsGoneOnWith() throws IOException {
    Files.writeString(directory.resolve("etcd.log"), "before\n");
    try (RotatingFile file = open(0, 0, false)) {
      file.write("after\n".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(Files.readString(directory.resolve("etcd.log"))).isEqualTo("before\nafter\n");
  }

  @Test
  void oldFilesAreRemovedByNumberAndStrangersStay() throws IOException {
    Files.writeString(directory.resolve("etcd-notes.log"), "mine");
    try (RotatingFile file = open(2, 0, false)) {
      for (int i = 0; i < 5; i++) {
        file.write(MEGABYTE);
        clock.now = clock.now.plusSeconds(1);
      }
    }
    assertThat(names())
        .containsExactly(
            "etcd-2026-01-31T09-15-07.123.log", "etcd-2026-01-31T09-15-08.123.log", "etcd-notes.log", "etcd.log");
  }

  @Test
  void oldFilesAreRemovedByAge() throws IOException {
    try (RotatingFile file = open(0, 3, false)) {
      for (int i = 0; i < 6; i++) {
        file.write(MEGABYTE);
        clock.now = clock.now.plus(Duration.ofDays(1));
      }
    }
    assertThat(names()).hasSize(5);
  }

  @Test
  void filesPutAsideCanBeGzipped() throws IOException {
    try (RotatingFile file = open(0, 0, true)) {
      file.write(MEGABYTE);
      file.write(MEGABYTE);
    }
    assertThat(names()).containsExactly("etcd-2026-01-31T09-15-04.123.log.gz", "etcd.log");
    Path packed = directory.resolve("etcd-2026-01-31T09-15-04.123.log.gz");
    try (InputStream in = new GZIPInputStream(Files.newInputStream(packed))) {
      assertThat(in.readAllBytes()).isEqualTo(MEGABYTE);
    }
  }
}
