package dev.kvorum.server.log;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;

/// Lets through what is louder than error, for `--log-level=panic` and `fatal`.
final class LoudOnly extends Filter<ILoggingEvent> {
  private final boolean panicToo;

  LoudOnly(boolean panicToo) {
    this.panicToo = panicToo;
  }

  @Override
  public FilterReply decide(ILoggingEvent event) {
    var markers = event.getMarkerList();
    boolean loud =
        markers != null && (markers.contains(Loud.FATAL) || (panicToo && markers.contains(Loud.PANIC)));
    return loud ? FilterReply.NEUTRAL : FilterReply.DENY;
  }
}
