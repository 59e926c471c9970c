package dev.kvorum.sim;

import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.Trace;
import org.jspecify.annotations.Nullable;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/// What members log goes into the trace's text, where it counts for nothing; where nobody reads the trace it goes
/// nowhere, and costs next to nothing.
public final class Logs implements SLF4JServiceProvider {
  private static @Nullable Trace trace;
  private static @Nullable Scheduler scheduler;

  private final IMarkerFactory markers = new BasicMarkerFactory();
  private final MDCAdapter context = new NOPMDCAdapter();

  static void to(Trace newTrace, Scheduler newScheduler) {
    trace = newTrace.isTold() ? newTrace : null;
    scheduler = newScheduler;
  }

  @Override
  public ILoggerFactory getLoggerFactory() {
    return Lines::new;
  }

  @Override
  public IMarkerFactory getMarkerFactory() {
    return markers;
  }

  @Override
  public MDCAdapter getMDCAdapter() {
    return context;
  }

  @Override
  public String getRequestedApiVersion() {
    return "2.0.99";
  }

  @Override
  public void initialize() {
    // nothing to prepare
  }

  private static final class Lines extends LegacyAbstractLogger {
    private static final long serialVersionUID = 1L;

    Lines(String name) {
      this.name = name;
    }

    @Override
    public boolean isTraceEnabled() {
      return false;
    }

    @Override
    public boolean isDebugEnabled() {
      return false;
    }

    @Override
    public boolean isInfoEnabled() {
      return trace != null;
    }

    @Override
    public boolean isWarnEnabled() {
      return trace != null;
    }

    @Override
    public boolean isErrorEnabled() {
      return trace != null;
    }

    @Override
    protected @Nullable String getFullyQualifiedCallerName() {
      return null;
    }

    @Override
    protected void handleNormalizedLoggingCall(
        Level level, @Nullable Marker marker, String pattern, Object @Nullable [] arguments, @Nullable Throwable thrown) {
      Trace to = trace;
      Scheduler clock = scheduler;
      if (to != null && clock != null) {
        String text = MessageFormatter.basicArrayFormat(pattern, arguments);
        to.aside(clock.now(), clock.who(), level + " " + text + (thrown == null ? "" : " " + thrown));
      }
    }
  }
}
