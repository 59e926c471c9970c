package dev.kvorum.sim.model;

import dev.kvorum.state.Request;
import org.jspecify.annotations.Nullable;

/// One request of one client, and what came of it.
///
/// @param returnedNanos [#NEVER] when no answer came that says whether it was done
/// @param answer null likewise: it may have been done, at any time after it was asked, or not
public record Operation(
    int client, Request request, long invokedNanos, long returnedNanos, @Nullable Answer answer) {
  public static final long NEVER = Long.MAX_VALUE;

  public static Operation unknown(int client, Request request, long invokedNanos) {
    return new Operation(client, request, invokedNanos, NEVER, null);
  }

  public boolean isKnown() {
    return answer != null;
  }

  @Override
  public String toString() {
    return "client %d [%.3f, %s] %s -> %s"
        .formatted(
            client,
            invokedNanos / 1e6,
            returnedNanos == NEVER ? "?" : "%.3f".formatted(returnedNanos / 1e6),
            shown(request),
            answer == null ? "unknown" : answer);
  }

  /// A request as people read it.
  static String shown(Object request) {
    return switch (request) {
      case Request.Put put ->
          "put "
              + put.key().toUtf8()
              + "="
              + (put.ignoreValue() ? "(kept)" : cut(put.value().toUtf8()))
              + (put.ignoreLease() ? " #(kept)" : put.lease() == 0 ? "" : " #" + put.lease());
      case Request.DeleteRange delete -> "delete " + interval(delete.key(), delete.rangeEnd());
      case Request.Range range ->
          "range "
              + interval(range.key(), range.rangeEnd())
              + (range.revision() > 0 ? " at " + range.revision() : "")
              + (range.serializable() ? " serializable" : "");
      case Request.Txn txn ->
          "txn if "
              + txn.compares().stream()
                  .map(c -> c.target() + " of " + interval(c.key(), c.rangeEnd()) + " " + c.result() + " "
                      + (c.target() == dev.kvorum.state.Compare.Target.VALUE ? cut(c.value().toUtf8()) : c.number()))
                  .toList()
              + " then "
              + txn.success().stream().map(Operation::shown).toList()
              + " else "
              + txn.failure().stream().map(Operation::shown).toList();
      default -> request.toString();
    };
  }

  private static String interval(dev.kvorum.env.Bytes key, dev.kvorum.env.Bytes end) {
    return end.isEmpty() ? key.toUtf8() : "[" + key.toUtf8() + "," + (end.at(0) == 0 ? "…" : end.toUtf8()) + ")";
  }

  private static String cut(String text) {
    return text.length() > 24 ? text.substring(0, 20) + "…" : text;
  }
}
