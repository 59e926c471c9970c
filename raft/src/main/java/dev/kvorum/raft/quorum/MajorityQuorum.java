package dev.kvorum.raft.quorum;

/// Decisions by a simple majority of one set of voters. An empty set agrees with everything, which is what makes half
/// of a joint configuration that is not joint harmless.
public final class MajorityQuorum {
  /// The index an empty set has committed: more than any log holds.
  public static final long EVERYTHING = Long.MAX_VALUE;

  private MajorityQuorum() {}

  /// The largest index that a majority of `voters` has acknowledged.
  public static long committedIndex(IdSet voters, Acks acks) {
    int n = voters.size();
    switch (n) {
      case 0:
        return EVERYTHING;
      case 1:
        return acks.of(voters.at(0));
      case 3:
        return median(acks.of(voters.at(0)), acks.of(voters.at(1)), acks.of(voters.at(2)));
      default:
        break;
    }
    long[] ascending = new long[n];
    for (int i = 0; i < n; i++) {
      long index = acks.of(voters.at(i));
      int at = i;
      while (at > 0 && ascending[at - 1] > index) {
        ascending[at] = ascending[at - 1];
        at--;
      }
      ascending[at] = index;
    }
    // A majority is n/2+1 voters, so the smallest index among the best n/2+1.
    return ascending[n - (n / 2 + 1)];
  }

  private static long median(long a, long b, long c) {
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }

  public static VoteResult voteResult(IdSet voters, Votes votes) {
    int n = voters.size();
    if (n == 0) {
      return VoteResult.WON;
    }
    int yes = 0;
    int missing = 0;
    for (int i = 0; i < n; i++) {
      byte vote = votes.of(voters.at(i));
      if (vote == Votes.YES) {
        yes++;
      } else if (vote == Votes.MISSING) {
        missing++;
      }
    }
    int majority = n / 2 + 1;
    if (yes >= majority) {
      return VoteResult.WON;
    }
    return yes + missing >= majority ? VoteResult.PENDING : VoteResult.LOST;
  }
}
