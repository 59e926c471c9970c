package dev.kvorum.sim.model;

import dev.kvorum.state.Request;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What is known of a history besides the answers: it tells which of the unanswered requests happened, and when.
///
/// @param changes by revision, as far as they are known, each whole
/// @param leases under which revisions each lease was granted, and ended, in their order; null when that is not known
public record Known(Map<Long, List<Change>> changes, @Nullable Map<LeaseEvent, List<Long>> leases) {
  public static final Known NOTHING = new Known(Map.of(), null);

  /// That a lease is granted, or ends.
  public record LeaseEvent(long id, boolean granted) {
    /// What `request` makes of a lease where it is not refused; null for requests that are not about one.
    static @Nullable LeaseEvent of(Request request) {
      return switch (request) {
        case Request.LeaseGrant grant -> new LeaseEvent(grant.id(), true);
        case Request.LeaseRevoke revoke -> new LeaseEvent(revoke.id(), false);
        default -> null;
      };
    }
  }

  /// Whether `event` can have come once more than `times` by `revision`. That it may be taken for later than it was does
  /// no harm: while nobody asks, leases come and go unseen.
  boolean mayHave(@Nullable LeaseEvent event, int times, long revision) {
    if (event == null || leases == null) {
      return true;
    }
    List<Long> revisions = leases.getOrDefault(event, List.of());
    return times < revisions.size() && revisions.get(times) <= revision;
  }
}
