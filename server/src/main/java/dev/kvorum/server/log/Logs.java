package dev.kvorum.server.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.OutputStreamAppender;
import dev.kvorum.server.config.Note;
import dev.kvorum.server.config.ServerConfig.LogRotation;
import dev.kvorum.server.config.ServerConfig.Logging;
import dev.kvorum.server.config.ValueException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.LogManager;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/// Sets up where log lines go. Called once, at the start of a process, by its `main`; a program that embeds the server
/// keeps its own logging.
public final class Logs {
  private static final String JOURNAL = "systemd/journal";
  private static final Logging FALLBACK =
      new Logging(List.of("default"), "info", false, false, new LogRotation(100, 0, 0, false, false));

  private Logs() {}

  /// Opens the outputs and sends all lines there, the lines of libraries included.
  ///
  /// @throws ValueException when an output cannot be opened; lines then go to stderr
  public static void start(Logging logging) throws ValueException {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    context.setMaxCallerDataDepth(32);
    List<OutputStream> outputs;
    try {
      outputs = open(logging);
    } catch (ValueException e) {
      attach(context, FALLBACK, List.of(new FileOutputStream(FileDescriptor.err)));
      throw e;
    }
    attach(context, logging, outputs);
    quietLibraries(context, logging.level());
    if (logging.outputs().contains(JOURNAL)) {
      logger().info("the journal is written through stderr");
    }
  }

  /// Sends lines to stderr as JSON, for what is to be said before configuration is known or when it is refused.
  public static void startDefault() {
    try {
      start(FALLBACK);
    } catch (ValueException cannotHappen) {
      throw new IllegalStateException(cannotHappen);
    }
  }

  /// Logs what configuration had to say.
  public static void write(List<Note> notes) {
    for (Note note : notes) {
      LoggingEventBuilder line =
          switch (note.level()) {
            case INFO -> logger().atInfo();
            case WARN -> logger().atWarn();
            case FATAL -> logger().atError().addMarker(Loud.FATAL);
          };
      for (int i = 0; i + 1 < note.fields().size(); i += 2) {
        line = line.addKeyValue(note.fields().get(i).toString(), note.fields().get(i + 1));
      }
      line.log(note.message());
    }
  }

  /// Closes files. Lines after it are lost.
  public static void stop() {
    ((LoggerContext) LoggerFactory.getILoggerFactory()).stop();
  }

  private static org.slf4j.Logger logger() {
    return LoggerFactory.getLogger(Logs.class);
  }

  private static void attach(LoggerContext context, Logging logging, List<OutputStream> outputs) {
    ch.qos.logback.classic.Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.setLevel(levelOf(logging.level()));
    for (OutputStream output : outputs) {
      Sampling sampling = new Sampling();
      sampling.start();
      ZapEncoder encoder = new ZapEncoder(logging.console(), ZoneId.systemDefault());
      encoder.setContext(context);
      encoder.start();
      OutputStreamAppender<ILoggingEvent> appender = new OutputStreamAppender<>();
      appender.setContext(context);
      appender.setEncoder(encoder);
      appender.setOutputStream(output);
      if (logging.level().equals("panic") || logging.level().equals("fatal")) {
        LoudOnly loudOnly = new LoudOnly(logging.level().equals("panic"));
        loudOnly.start();
        appender.addFilter(loudOnly);
      }
      appender.addFilter(sampling);
      appender.start();
      root.addAppender(appender);
    }
  }

  private static List<OutputStream> open(Logging logging) throws ValueException {
    List<OutputStream> outputs = new ArrayList<>();
    for (String output : logging.outputs()) {
      outputs.add(
          switch (output) {
            case "default", "stderr", JOURNAL -> new FileOutputStream(FileDescriptor.err);
            case "stdout" -> new FileOutputStream(FileDescriptor.out);
            default -> openFile(output, logging);
          });
    }
    return outputs.isEmpty() ? List.of(openFile("", logging)) : outputs;
  }

  private static OutputStream openFile(String path, Logging logging) throws ValueException {
    String why;
    try {
      if (!path.isEmpty()) {
        return logging.rotate()
            ? new RotatingFile(Path.of(path), logging.rotation(), Clock.systemUTC())
            : Files.newOutputStream(Path.of(path), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      }
      why = "no such file or directory";
    } catch (NoSuchFileException e) {
      why = "no such file or directory";
    } catch (AccessDeniedException e) {
      why = "permission denied";
    } catch (IOException e) {
      why = Files.isDirectory(Path.of(path)) ? "is a directory" : e.getMessage();
    }
    throw new ValueException("open sink \"" + path + "\": open " + path + ": " + why);
  }

  private static Level levelOf(String level) {
    return switch (level) {
      case "debug" -> Level.DEBUG;
      case "warn" -> Level.WARN;
      case "error", "panic", "fatal" -> Level.ERROR;
      default -> Level.INFO;
    };
  }

  /// Libraries speak only at debug, and never past the log.
  private static void quietLibraries(LoggerContext context, String level) {
    boolean debug = level.equals("debug");
    // their own debug would write whole requests, secrets included
    for (String library : List.of("io.netty", "io.grpc")) {
      context.getLogger(library).setLevel(debug ? Level.WARN : Level.ERROR);
    }
    LogManager.getLogManager().reset();
    java.util.logging.Logger jul = java.util.logging.Logger.getLogger("");
    jul.setLevel(debug ? java.util.logging.Level.INFO : java.util.logging.Level.OFF);
    if (debug) {
      jul.addHandler(new JulBridge(LoggerFactory.getLogger(JulBridge.class)));
    }
    System.setOut(stray("stdout"));
    System.setErr(stray("stderr"));
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, error) ->
            logger().atError().setCause(error).addKeyValue("thread", thread.getName()).log("a thread died"));
  }

  private static PrintStream stray(String stream) {
    return new PrintStream(new StrayOutput(logger(), stream), true, StandardCharsets.UTF_8);
  }
}
