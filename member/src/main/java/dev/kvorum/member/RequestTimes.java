package dev.kvorum.member;

import dev.kvorum.env.Clock;
import dev.kvorum.state.AuthRequest;
import dev.kvorum.state.Request;
import dev.kvorum.state.keys.Event;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How long requests take, told to whoever counts, and the slow ones to the log. Any thread.
final class RequestTimes {
  private static final Logger LOG = LoggerFactory.getLogger(RequestTimes.class);

  private final Clock clock;
  private final long slowNanos;
  private final Member.Observer observer;

  RequestTimes(Clock clock, long slowNanos, Member.Observer observer) {
    this.clock = clock;
    this.slowNanos = slowNanos;
    this.observer = observer;
  }

  long now() {
    return clock.nanos();
  }

  /// An entry was applied.
  void applied(Request request, boolean success, long begunNanos) {
    long took = clock.nanos() - begunNanos;
    observer.applied(nameOf(request), success, took);
    if (took > slowNanos) {
      LOG.atWarn()
          .addKeyValue("took", Duration.ofNanos(took))
          .addKeyValue("expected-duration", Duration.ofNanos(slowNanos))
          .addKeyValue("prefix", "")
          .addKeyValue("request", nameOf(request))
          .log("apply request took too long");
    }
  }

  /// What an applied entry did to the keys.
  void changed(List<Event> events) {
    if (!events.isEmpty()) {
      int puts = 0;
      for (Event event : events) {
        puts += event.type() == Event.Type.PUT ? 1 : 0;
      }
      observer.changed(puts, events.size() - puts);
    }
  }

  /// A request was answered, from its arrival on.
  void answered(String type, boolean success, long begunNanos) {
    observer.answered(type, success, clock.nanos() - begunNanos);
  }

  /// A range was read.
  void ranged(boolean success, long begunNanos) {
    observer.ranged(success, clock.nanos() - begunNanos);
  }

  /// etcd's name of the operation, as its metrics spell it.
  static String nameOf(Request request) {
    return switch (request) {
      case Request.Put _ -> "Put";
      case Request.Txn _ -> "Txn";
      case Request.DeleteRange _ -> "DeleteRange";
      case Request.Range _ -> "Range";
      case Request.Compact _ -> "Compaction";
      case Request.LeaseGrant _ -> "LeaseGrant";
      case Request.LeaseRevoke _ -> "LeaseRevoke";
      case Request.LeaseCheckpoint _ -> "LeaseCheckpoint";
      case Request.Alarm _ -> "Alarm";
      case Request.ClusterVersionSet _ -> "ClusterVersionSet";
      case Request.MemberAttributesSet _ -> "ClusterMemberAttrSet";
      case Request.DowngradeInfoSet _ -> "DowngradeInfoSet";
      case Request.DowngradeVersionTest _ -> "DowngradeVersionTest";
      case AuthRequest auth -> "Auth" + auth.getClass().getSimpleName();
    };
  }
}
