package dev.kvorum.server.log;

import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;
import org.slf4j.Logger;

/// Passes what libraries say through `java.util.logging` to the log, at debug.
final class JulBridge extends Handler {
  private final SimpleFormatter formatter = new SimpleFormatter();
  private final Logger log;

  JulBridge(Logger log) {
    this.log = log;
  }

  @Override
  public void publish(LogRecord entry) {
    if (log.isDebugEnabled()) {
      log.atDebug()
          .addKeyValue("library", entry.getLoggerName())
          .addKeyValue("library-level", entry.getLevel().getName())
          .setCause(entry.getThrown())
          .log(formatter.formatMessage(entry));
    }
  }

  @Override
  public void flush() {}

  @Override
  public void close() {}
}
