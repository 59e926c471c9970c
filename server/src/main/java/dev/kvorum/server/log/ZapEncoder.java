package dev.kvorum.server.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.encoder.EncoderBase;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.List;
import org.slf4j.Marker;
import org.slf4j.event.KeyValuePair;

/// Makes a line of one event in the shape that zap gives etcd's lines.
///
/// JSON: `level`, `ts`, `logger` (for named loggers only), `caller`, `msg`, the event's own keys in their order,
/// `error`, and from error upwards `stacktrace`. Console: time, level, logger, caller and message between tabs, then
/// the keys as one JSON object, then the stack trace on lines of its own.
final class ZapEncoder extends EncoderBase<ILoggingEvent> {
  /// Loggers by these names are named in the line; all others are known by their caller.
  private static final List<String> NAMED = List.of("raft", "bbolt", "etcd-client", "client");

  private static final byte[] NONE = new byte[0];
  private static final String PACKAGE = "dev.kvorum.";

  private final boolean console;
  private final ZoneId zone;

  /// @param zone of the times in lines
  ZapEncoder(boolean console, ZoneId zone) {
    this.console = console;
    this.zone = zone;
  }

  @Override
  public byte[] headerBytes() {
    return NONE;
  }

  @Override
  public byte[] footerBytes() {
    return NONE;
  }

  @Override
  public byte[] encode(ILoggingEvent event) {
    StringBuilder line = new StringBuilder(256);
    if (console) {
      console(line, event);
    } else {
      json(line, event);
    }
    return line.append('\n').toString().getBytes(StandardCharsets.UTF_8);
  }

  private void json(StringBuilder line, ILoggingEvent event) {
    line.append("{\"level\":\"").append(levelOf(event)).append("\",\"ts\":\"");
    time(line, event.getInstant());
    line.append('"');
    if (NAMED.contains(event.getLoggerName())) {
      line.append(",\"logger\":\"").append(event.getLoggerName()).append('"');
    }
    line.append(",\"caller\":");
    JsonText.string(line, callerOf(event));
    line.append(",\"msg\":");
    JsonText.string(line, event.getFormattedMessage());
    fields(line, event, JsonText.DENSE);
    if (event.getLevel().isGreaterOrEqual(Level.ERROR)) {
      line.append(",\"stacktrace\":");
      JsonText.string(line, stackOf(event));
    }
    line.append('}');
  }

  private void console(StringBuilder line, ILoggingEvent event) {
    time(line, event.getInstant());
    line.append('\t').append(levelOf(event)).append('\t');
    if (NAMED.contains(event.getLoggerName())) {
      line.append(event.getLoggerName()).append('\t');
    }
    line.append(callerOf(event)).append('\t').append(event.getFormattedMessage());
    StringBuilder fields = new StringBuilder();
    fields(fields, event, JsonText.SPACED);
    if (!fields.isEmpty()) {
      line.append("\t{").append(fields).append('}');
    }
    if (event.getLevel().isGreaterOrEqual(Level.ERROR)) {
      line.append('\n').append(stackOf(event));
    }
  }

  private static void fields(StringBuilder to, ILoggingEvent event, JsonText json) {
    List<KeyValuePair> pairs = event.getKeyValuePairs();
    boolean hasError = false;
    boolean first = to.isEmpty();
    if (pairs != null) {
      for (KeyValuePair pair : pairs) {
        hasError |= pair.key.equals("error");
        json.field(first ? to : to.append(json.comma()), pair.key, pair.value);
        first = false;
      }
    }
    IThrowableProxy thrown = event.getThrowableProxy();
    if (thrown != null && !hasError) {
      String message = thrown.getMessage();
      String text = message == null || message.isEmpty() ? thrown.getClassName() : message;
      json.field(first ? to : to.append(json.comma()), "error", text);
    }
  }

  private static String levelOf(ILoggingEvent event) {
    List<Marker> markers = event.getMarkerList();
    if (markers != null && event.getLevel() == Level.ERROR) {
      if (markers.contains(Loud.FATAL)) {
        return "fatal";
      }
      if (markers.contains(Loud.PANIC)) {
        return "panic";
      }
    }
    return switch (event.getLevel().toInt()) {
      case Level.ERROR_INT -> "error";
      case Level.WARN_INT -> "warn";
      case Level.INFO_INT -> "info";
      default -> "debug";
    };
  }

  /// `2026-01-31T09:15:04.123456Z`: always microseconds; `Z`, or an offset without a colon.
  private void time(StringBuilder to, Instant instant) {
    ZonedDateTime at = instant.atZone(zone);
    digits(to, at.getYear(), 4).append('-');
    digits(to, at.getMonthValue(), 2).append('-');
    digits(to, at.getDayOfMonth(), 2).append('T');
    digits(to, at.getHour(), 2).append(':');
    digits(to, at.getMinute(), 2).append(':');
    digits(to, at.getSecond(), 2).append('.');
    digits(to, at.getNano() / 1000, 6);
    int offsetMinutes = at.getOffset().getTotalSeconds() / 60;
    if (offsetMinutes == 0) {
      to.append('Z');
    } else {
      int size = Math.abs(offsetMinutes);
      digits(digits(to.append(offsetMinutes < 0 ? '-' : '+'), size / 60, 2), size % 60, 2);
    }
  }

  private static StringBuilder digits(StringBuilder to, int value, int width) {
    String text = Integer.toString(value);
    return to.append("0".repeat(Math.max(0, width - text.length()))).append(text);
  }

  /// `member/RaftLoop.java:120`: the last part of the package, the file, the line.
  private static String callerOf(ILoggingEvent event) {
    StackTraceElement[] stack = event.getCallerData();
    if (stack == null || stack.length == 0) {
      return "undefined";
    }
    return locationOf(stack[0]);
  }

  private static String locationOf(StackTraceElement frame) {
    String type = frame.getClassName();
    int classAt = type.lastIndexOf('.');
    String packageName = classAt < 0 ? "" : type.substring(0, classAt);
    String directory = packageName.substring(packageName.lastIndexOf('.') + 1);
    if (packageName.startsWith(PACKAGE)) {
      String inside = packageName.substring(PACKAGE.length());
      directory = inside.substring(inside.lastIndexOf('.') + 1);
    }
    String file = frame.getFileName() == null ? type.substring(classAt + 1) : frame.getFileName();
    return directory + "/" + file + ":" + frame.getLineNumber();
  }

  /// The stack of what was thrown, causes included, or else of the logging call.
  private static String stackOf(ILoggingEvent event) {
    StringBuilder text = new StringBuilder(1024);
    if (event.getThrowableProxy() instanceof ThrowableProxy thrown) {
      appendThrown(text, thrown);
    } else {
      for (StackTraceElement frame : event.getCallerData()) {
        appendFrame(text, frame);
      }
    }
    return text.toString();
  }

  private static void appendThrown(StringBuilder text, IThrowableProxy thrown) {
    int depth = 0;
    for (IThrowableProxy at = thrown; at != null && depth < 10; at = at.getCause(), depth++) {
      if (!text.isEmpty()) {
        text.append("\ncaused by ");
      }
      text.append(at.getClassName()).append(": ").append(at.getMessage());
      for (StackTraceElementProxy frame : at.getStackTraceElementProxyArray()) {
        appendFrame(text, frame.getStackTraceElement());
      }
    }
  }

  private static void appendFrame(StringBuilder text, StackTraceElement frame) {
    if (!text.isEmpty()) {
      text.append('\n');
    }
    text.append(frame.getClassName()).append('.').append(frame.getMethodName()).append("\n\t")
        .append(locationOf(frame));
  }
}
