package dev.kvorum.state;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.EtcdException;
import dev.kvorum.state.keys.Event;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What applying one entry came to.
///
/// @param result what its proposer hears
/// @param revision the key store's revision afterwards
/// @param events the changes of keys, in order, all of one revision; empty when no key changed
/// @param effects what the member must do, in order
public record ApplyOutcome(Result result, long revision, List<Event> events, List<Effect> effects) {

  /// What the proposer hears, if it waits here.
  public sealed interface Result {
    record Answered(Response response) implements Result {}

    /// Nothing changed, except with `NO_SPACE` beside an effect [Effect.RaiseNoSpace]: then it was done all the same.
    record Refused(EtcdException cause) implements Result {
      public Refused(EtcdError error) {
        this(error.exception());
      }
    }

    /// The entry was in the db already when the member started, and nobody waits.
    enum Skipped implements Result {
      REPLAYED
    }
  }

  static ApplyOutcome replayed(long revision, List<Effect> effects) {
    return new ApplyOutcome(Result.Skipped.REPLAYED, revision, List.of(), effects);
  }

  static ApplyOutcome answered(Response response, long revision) {
    return new ApplyOutcome(new Result.Answered(response), revision, List.of(), List.of());
  }

  static ApplyOutcome answered(Response response, long revision, Effect effect) {
    return new ApplyOutcome(new Result.Answered(response), revision, List.of(), List.of(effect));
  }

  static ApplyOutcome refused(EtcdError error, long revision) {
    return new ApplyOutcome(new Result.Refused(error), revision, List.of(), List.of());
  }

  static ApplyOutcome refused(EtcdException cause, long revision) {
    return new ApplyOutcome(new Result.Refused(cause), revision, List.of(), List.of());
  }

  /// The answer; null when there is none.
  public @Nullable Response response() {
    return result instanceof Result.Answered(Response response) ? response : null;
  }

  /// The refusal; null when there is none.
  public @Nullable EtcdException refusal() {
    return result instanceof Result.Refused(EtcdException cause) ? cause : null;
  }
}
