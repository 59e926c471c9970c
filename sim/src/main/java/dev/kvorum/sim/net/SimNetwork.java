package dev.kvorum.sim.net;

import dev.kvorum.raft.Message;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.SimClock;
import dev.kvorum.sim.world.SimHost;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Who reaches whom. Members are known by id; each ordered pair of them is a link of its own, which can be cut one way.
public final class SimNetwork {
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final Map<Long, SimLinks> ends = new TreeMap<>();
  private final TreeSet<Pair> cuts = new TreeSet<>();
  private final Map<Pair, Long> lastArrival = new TreeMap<>();
  private final Map<Pair, Long> sinceNanos = new TreeMap<>();
  private Weather weather = Weather.FAIR;

  private record Pair(long from, long to) implements Comparable<Pair> {
    @Override
    public int compareTo(Pair other) {
      int byFrom = Long.compare(from, other.from);
      return byFrom != 0 ? byFrom : Long.compare(to, other.to);
    }
  }

  private Consumer<Message> witness = message -> {};

  public SimNetwork(Scheduler scheduler, SplittableRandom random) {
    this.scheduler = scheduler;
    this.random = random;
  }

  /// @param witness hears of each message as it is sent, before anything happens to it
  public void onSend(Consumer<Message> witness) {
    this.witness = witness;
  }

  void sent(Message message) {
    witness.accept(message);
  }

  public void weather(Weather now) {
    weather = now;
    scheduler.trace().event(scheduler.now(), "network", "weather " + now);
  }

  /// A member's end, for one life of it.
  public SimLinks links(SimHost host, SimClock clock) {
    return new SimLinks(this, host, clock);
  }

  /// Nothing goes from `from` to `to` any more.
  public void cut(long from, long to) {
    if (cuts.add(new Pair(from, to))) {
      sinceNanos.remove(new Pair(from, to));
      sinceNanos.remove(new Pair(to, from));
      scheduler.trace().event(scheduler.now(), "network", "cuts", from, to);
    }
  }

  /// `some` on one side, everybody else on the other.
  public void partition(List<Long> some, List<Long> others) {
    for (long a : some) {
      for (long b : others) {
        cut(a, b);
        cut(b, a);
      }
    }
  }

  public void heal() {
    cuts.clear();
    scheduler.trace().event(scheduler.now(), "network", "heals", 0, 0);
  }

  public boolean isCut(long from, long to) {
    return cuts.contains(new Pair(from, to));
  }

  public boolean hasCuts() {
    return !cuts.isEmpty();
  }

  Scheduler scheduler() {
    return scheduler;
  }

  SplittableRandom random() {
    return random;
  }

  void add(long member, SimLinks end) {
    ends.put(member, end);
    sinceNanos.keySet().removeIf(pair -> pair.from() == member || pair.to() == member);
  }

  void remove(long member, SimLinks end) {
    ends.remove(member, end);
  }

  /// The end of a member that is up; null when it is not.
  @Nullable SimLinks end(long member) {
    SimLinks end = ends.get(member);
    return end != null && end.isUp() ? end : null;
  }

  /// Whether both know each other, live, and nothing is cut between them.
  boolean connects(long a, long b) {
    return end(a) != null && end(b) != null && !isCut(a, b) && !isCut(b, a);
  }

  /// Since when the two have been in reach, in the world's time, or -1 when they are not.
  long since(long a, long b) {
    Pair pair = new Pair(a, b);
    if (!connects(a, b)) {
      sinceNanos.remove(pair);
      return -1;
    }
    return sinceNanos.computeIfAbsent(pair, first -> scheduler.now());
  }

  long delay() {
    return 1_000 + random.nextLong(2 * weather.delayNanos());
  }

  /// What becomes of one message from `from` to `to`: when its copies arrive. Empty when it is lost.
  ///
  /// @param mayRepeat false for what no link may deliver twice: a forwarded proposal would be applied twice
  List<Long> arrivals(long from, long to, boolean mayRepeat) {
    List<Long> delays = new ArrayList<>();
    if (isCut(from, to) || random.nextInt(1_000) < weather.lossPerMille()) {
      return delays;
    }
    boolean late = random.nextInt(1_000) < weather.reorderPerMille();
    Pair pair = new Pair(from, to);
    long now = scheduler.now();
    long arrival = now + delay();
    if (late) {
      arrival += random.nextLong(weather.lateNanos() + 1);
    } else {
      arrival = Math.max(arrival, lastArrival.getOrDefault(pair, 0L) + 1);
      lastArrival.put(pair, arrival);
    }
    delays.add(arrival - now);
    if (random.nextInt(1_000) < weather.repeatPerMille() && mayRepeat) {
      delays.add(arrival - now + random.nextLong(weather.lateNanos() + 1_000));
    }
    return delays;
  }
}
