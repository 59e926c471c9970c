package dev.kvorum.sim.judge;

import dev.kvorum.raft.Message;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.LongFunction;

/// Listens to the votes that members send.
///
/// What it judges holds of each vote by itself, whether or not harm comes of it: a member votes for *one candidate a
/// term*, restarts or not (Raft paper §5.2), and only for one whose log is *up to date*, as far as its own goes
/// (§5.4.1).
public final class VoteJudge {
  private final BiConsumer<String, String> found;
  private final LogJudge logs;
  private final LongFunction<String> names;

  /// By voter and term: for whom it votes.
  private final Map<Long, Map<Long, Long>> votes = new HashMap<>();

  /// By candidate and term: what it has said of its log.
  private final Map<Long, Map<Long, Message.Vote>> asked = new HashMap<>();

  /// @param found hears the promise that was broken, and how
  /// @param logs knows what voters hold
  /// @param names of members, by id
  public VoteJudge(BiConsumer<String, String> found, LogJudge logs, LongFunction<String> names) {
    this.found = found;
    this.logs = logs;
    this.names = names;
  }

  /// `message` is on its way.
  public void sent(Message message) {
    switch (message) {
      case Message.Vote asks -> {
        asked.computeIfAbsent(asks.from(), none -> new HashMap<>()).put(asks.term(), asks);
        judgeOneVote(asks.from(), asks.term(), asks.from());
      }
      case Message.VoteResponse answers when !answers.reject() -> {
        judgeOneVote(answers.from(), answers.term(), answers.to());
        judgeUpToDate(answers);
      }
      default -> {}
    }
  }

  private void judgeOneVote(long voter, long term, long candidate) {
    Long other = votes.computeIfAbsent(voter, none -> new HashMap<>()).putIfAbsent(term, candidate);
    if (other != null && other != candidate) {
      found.accept(
          "one vote a term",
          "%s votes in term %d for %s, having voted for %s"
              .formatted(names.apply(voter), term, names.apply(candidate), names.apply(other)));
    }
  }

  /// What the voter has logged since it voted is of the vote's term.
  private void judgeUpToDate(Message.VoteResponse answer) {
    Message.Vote asks = asked.getOrDefault(answer.to(), Map.of()).get(answer.term());
    LogJudge.Position has = logs.lastBefore(names.apply(answer.from()), answer.term());
    if (asks == null || has == null) {
      return;
    }
    LogJudge.Position offered = new LogJudge.Position(asks.lastIndex(), asks.lastTerm());
    if (offered.compareTo(has) < 0) {
      found.accept(
          "votes go to logs that are up to date",
          "%s, whose log ends with %s, votes in term %d for %s, whose ends with %s"
              .formatted(names.apply(answer.from()), has, answer.term(), names.apply(answer.to()), offered));
    }
  }
}
