package dev.kvorum.server.log;

import dev.kvorum.server.config.ServerConfig.LogRotation;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPOutputStream;

/// A log file that is put aside when it is full: `etcd.log` becomes `etcd-2026-01-31T09-15-04.123.log`, and old ones
/// are removed by number and age, or gzipped, as `lumberjack` does it for etcd.
///
/// Written by one thread at a time, which its appender sees to. Each write is one line and stays in one file.
final class RotatingFile extends OutputStream {
  private static final long MEGABYTE = 1024 * 1024;
  private static final int MEGABYTES_DEFAULT = 100;
  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH-mm-ss.SSS", Locale.ROOT);
  private static final String GZIP = ".gz";

  private final Path file;
  private final String stem;
  private final String extension;
  private final LogRotation rotation;
  private final long maxBytes;
  private final Clock clock;
  private final ZoneId zone;
  private FileChannel channel;
  private long size;

  /// Opens `file`, going on where it ends.
  RotatingFile(Path file, LogRotation rotation, Clock clock) throws IOException {
    this.file = file.toAbsolutePath();
    this.rotation = rotation;
    this.clock = clock;
    this.zone = rotation.localTime() ? ZoneId.systemDefault() : ZoneOffset.UTC;
    this.maxBytes = (rotation.maxMegabytes() == 0 ? MEGABYTES_DEFAULT : rotation.maxMegabytes()) * MEGABYTE;
    String name = this.file.getFileName().toString();
    int dot = name.lastIndexOf('.');
    this.stem = (dot < 0 ? name : name.substring(0, dot)) + "-";
    this.extension = dot < 0 ? "" : name.substring(dot);
    this.channel = open();
    this.size = channel.size();
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    if (size > 0 && size + length > maxBytes) {
      rotate();
    }
    ByteBuffer line = ByteBuffer.wrap(bytes, offset, length);
    while (line.hasRemaining()) {
      channel.write(line);
    }
    size += length;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private FileChannel open() throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
  }

  private void rotate() throws IOException {
    channel.close();
    Path backup = file.resolveSibling(stem + STAMP.format(clock.instant().atZone(zone)) + extension);
    Files.move(file, backup, StandardCopyOption.ATOMIC_MOVE);
    channel = open();
    size = 0;
    tidy();
  }

  private void tidy() throws IOException {
    List<Path> backups = backups();
    Instant oldest = clock.instant().minus(Duration.ofDays(rotation.maxAgeDays()));
    for (int i = 0; i < backups.size(); i++) {
      Path backup = backups.get(i);
      boolean tooMany = rotation.maxBackups() > 0 && i >= rotation.maxBackups();
      boolean tooOld = rotation.maxAgeDays() > 0 && stampOf(backup).isBefore(oldest);
      if (tooMany || tooOld) {
        Files.deleteIfExists(backup);
      } else if (rotation.compress() && !backup.toString().endsWith(GZIP)) {
        gzip(backup);
      }
    }
  }

  /// Files put aside, newest first.
  private List<Path> backups() throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> names = Files.newDirectoryStream(file.getParent())) {
      for (Path path : names) {
        if (stampOf(path).isAfter(Instant.MIN)) {
          found.add(path);
        }
      }
    }
    found.sort(Comparator.comparing(this::stampOf).reversed());
    return found;
  }

  /// @return when the file was put aside; the beginning of time when it is not one of ours
  private Instant stampOf(Path path) {
    String name = path.getFileName().toString();
    String plain = name.endsWith(GZIP) ? name.substring(0, name.length() - GZIP.length()) : name;
    if (!plain.startsWith(stem) || !plain.endsWith(extension)) {
      return Instant.MIN;
    }
    try {
      String stamp = plain.substring(stem.length(), plain.length() - extension.length());
      return STAMP.withZone(zone).parse(stamp, Instant::from);
    } catch (DateTimeParseException | StringIndexOutOfBoundsException notOurs) {
      return Instant.MIN;
    }
  }

  private static void gzip(Path backup) throws IOException {
    Path packed = backup.resolveSibling(backup.getFileName() + GZIP);
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      Files.copy(backup, out);
    }
    Files.delete(backup);
  }
}
