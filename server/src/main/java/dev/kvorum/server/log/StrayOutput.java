package dev.kvorum.server.log;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;

/// Turns lines that some library prints to stdout or stderr into log lines, so that readers of the log meet no other
/// shape. One per stream; `PrintStream` serialises its callers.
final class StrayOutput extends OutputStream {
  private static final int LINE_MAX = 8192;

  private final Logger log;
  private final String stream;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();

  /// @param stream `stdout` or `stderr`, for the log line
  StrayOutput(Logger log, String stream) {
    this.log = log;
    this.stream = stream;
  }

  @Override
  public void write(int b) {
    if (b == '\n') {
      flushLine();
    } else if (line.size() < LINE_MAX) {
      line.write(b);
    }
  }

  private void flushLine() {
    String text = line.toString(StandardCharsets.UTF_8).stripTrailing();
    line.reset();
    if (!text.isEmpty()) {
      log.atWarn().addKeyValue("stream", stream).addKeyValue("text", text).log("a library printed a line");
    }
  }
}
