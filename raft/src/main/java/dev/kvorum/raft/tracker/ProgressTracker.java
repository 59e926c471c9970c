package dev.kvorum.raft.tracker;

import dev.kvorum.env.Invariant;
import dev.kvorum.raft.quorum.Acks;
import dev.kvorum.raft.quorum.IdSet;
import dev.kvorum.raft.quorum.VoteResult;
import dev.kvorum.raft.quorum.Votes;
import java.util.Arrays;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The configuration in force, with the progress of each of its members and the votes they cast. Owned by the node's
/// loop. Members are kept in arrays by ascending unsigned id: visiting them in that order is part of the protocol's
/// determinism, and costs no allocation.
public final class ProgressTracker {
  private final int inflightMessagesMax;
  private final long inflightBytesMax;
  private final Acks matches = this::matchOf;
  private Configuration configuration = Configuration.EMPTY;
  private IdSet ids = IdSet.EMPTY;
  private Progress[] progress = {};
  private byte[] votes = {};

  /// @param inflightBytesMax 0 for no limit
  public ProgressTracker(int inflightMessagesMax, long inflightBytesMax) {
    this.inflightMessagesMax = inflightMessagesMax;
    this.inflightBytesMax = inflightBytesMax;
  }

  public Configuration configuration() {
    return configuration;
  }

  /// Puts a configuration in force. Votes of members that stay are kept.
  public void switchTo(Configuration next, SortedMap<Long, Progress> members) {
    IdSet nextIds = IdSet.EMPTY;
    Progress[] nextProgress = new Progress[members.size()];
    byte[] nextVotes = new byte[members.size()];
    int at = 0;
    for (SortedMap.Entry<Long, Progress> member : members.entrySet()) {
      nextIds = nextIds.with(member.getKey());
      nextProgress[at] = member.getValue();
      nextVotes[at++] = voteOf(member.getKey());
    }
    configuration = next;
    ids = nextIds;
    progress = nextProgress;
    votes = nextVotes;
  }

  /// A progress for a member that is new to the configuration. It counts as active, so that CheckQuorum does not fail
  /// before it had a chance to answer.
  public Progress newcomer(long lastIndex, boolean learner) {
    return new Progress(0, Math.max(lastIndex, 1), newInflights(), learner, true);
  }

  /// Forgets all that was learned, for a new term; `self` alone is known to have our log.
  public void reset(long self, long lastIndex) {
    for (int i = 0; i < progress.length; i++) {
      Progress fresh = new Progress(0, lastIndex + 1, newInflights(), progress[i].isLearner(), false);
      if (ids.at(i) == self) {
        fresh.maybeUpdate(lastIndex);
      }
      progress[i] = fresh;
    }
  }

  private Inflights newInflights() {
    return new Inflights(inflightMessagesMax, inflightBytesMax);
  }

  /// Members of all kinds.
  public int size() {
    return progress.length;
  }

  /// The id at `position`, ascending.
  public long id(int position) {
    return ids.at(position);
  }

  public Progress progress(int position) {
    return progress[position];
  }

  /// The progress of `id`, null when it is no member.
  public @Nullable Progress find(long id) {
    int at = ids.indexOf(id);
    return at < 0 ? null : progress[at];
  }

  /// The largest index on a quorum.
  public long committed() {
    return configuration.voters().committedIndex(matches);
  }

  private long matchOf(long id) {
    Progress member = find(id);
    return member == null ? 0 : member.match();
  }

  /// Whether a quorum was heard from lately; `self` always is.
  public boolean isQuorumActive(long self) {
    Votes active = id -> {
      Progress member = find(id);
      return member != null && (id == self || member.isRecentActive()) ? Votes.YES : Votes.NO;
    };
    return configuration.voters().voteResult(active) == VoteResult.WON;
  }

  public void resetVotes() {
    Arrays.fill(votes, Votes.MISSING);
  }

  /// Counts a vote. Only the first of each member counts, and only members'.
  public void recordVote(long id, boolean granted) {
    int at = ids.indexOf(id);
    if (at >= 0 && votes[at] == Votes.MISSING) {
      votes[at] = granted ? Votes.YES : Votes.NO;
    }
  }

  private byte voteOf(long id) {
    int at = ids.indexOf(id);
    return at < 0 ? Votes.MISSING : votes[at];
  }

  public VoteResult voteResult() {
    return configuration.voters().voteResult(this::voteOf);
  }

  /// How many voters said `vote`; for log lines.
  public int count(byte vote) {
    int n = 0;
    for (int i = 0; i < votes.length; i++) {
      if (votes[i] == vote && !progress[i].isLearner()) {
        n++;
      }
    }
    return n;
  }

  /// Copies of every progress, ascending by unsigned id, for a configuration change to work on.
  public SortedMap<Long, Progress> copyMembers() {
    SortedMap<Long, Progress> copy = new TreeMap<>(Long::compareUnsigned);
    for (int i = 0; i < progress.length; i++) {
      copy.put(ids.at(i), progress[i].copy());
    }
    return copy;
  }

  public SortedMap<Long, Progress.View> views() {
    SortedMap<Long, Progress.View> views = new TreeMap<>(Long::compareUnsigned);
    for (int i = 0; i < progress.length; i++) {
      views.put(ids.at(i), progress[i].view());
    }
    return views;
  }

  /// Checks that configuration and members describe each other.
  public void checkInvariants() {
    IdSet expected = configuration.voters().ids().union(configuration.learners()).union(configuration.learnersNext());
    Invariant.check(expected.equals(ids), "progress is kept for other members than the configuration's");
  }
}
