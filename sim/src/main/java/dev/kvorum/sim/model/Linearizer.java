package dev.kvorum.sim.model;

import dev.kvorum.api.EtcdError;
import dev.kvorum.env.Bytes;
import dev.kvorum.state.Request;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Looks for one order of all operations that explains every answer: each takes effect at one moment between its
/// question and its answer, and the model, carrying them out in that order, says what the clients heard (Herlihy and
/// Wing 1990; the search is Wing and Gong's with Lowe's memory of states seen).
///
/// etcd makes the search cheap, for it numbers its changes. An answer that names revision `r` can only be right where the
/// store is at `r`; so a read that fits is taken at once (it changes nothing, hence no later operation minds), and of the
/// writes at most one can be next, once all is placed that was answered under the revision before. A choice is left only
/// where
///  - an operation without an answer may or may not have happened. Each may fill a revision that no answer claims, if it
///    does what watchers and readers saw of that revision;
///  - a lease may have run out, which nobody asked for: it deletes its keys under such a revision;
///  - leases come and go without keys, and history is compacted, under no revision of their own. Of those without an
///    answer, and of leases that run out, only what some answer demands is tried: done later, it does as well.
public final class Linearizer {
  private static final int NODES_MAX = 300_000;

  private final Op[] ops;
  private final Op head = new Op(-1, null, Answer.NO_REVISION);
  private final Set<Long> claimed = new TreeSet<>();
  /// How many are still to be placed that were answered under a revision they did not make.
  private final Map<Long, Integer> owed = new TreeMap<>();
  private final Known known;
  /// Keys that readers were shown, by the revision that wrote them.
  private final Map<Long, List<Kv>> shown = new TreeMap<>();
  private final Set<Long> visited = new HashSet<>();
  /// How often each lease was granted, and has ended, in what is placed.
  private final Map<Known.LeaseEvent, Integer> leaseEvents = new HashMap<>();
  private Store store = Store.EMPTY;
  private long linearized;
  private int left;
  private int nodes;

  // The furthest the search came, for the message.
  private int leftLeast = Integer.MAX_VALUE;
  private Store furthest = Store.EMPTY;
  private List<Operation> stuck = List.of();

  /// An operation as a link of the list of those still to be placed, in order of their asking.
  private static final class Op {
    final long print;
    final @Nullable Operation operation;
    Op previous;
    Op next;

    /// The revision under which it must be placed; [Answer#NO_REVISION] for any.
    final long owedAt;
    /// The revision that, by what others have seen, only it can have made; 0 when unknown.
    long pinnedAt;

    @SuppressWarnings("NullAway")
    Op(long print, @Nullable Operation operation, long owedAt) {
      this.print = print;
      this.operation = operation;
      this.owedAt = owedAt;
      this.previous = this;
      this.next = this;
    }

    Operation operation() {
      return java.util.Objects.requireNonNull(operation);
    }

    void unlink() {
      previous.next = next;
      next.previous = previous;
    }

    void relink() {
      previous.next = this;
      next.previous = this;
    }
  }

  /// What came of it.
  public sealed interface Verdict {
    /// @param end the store after all of it, which knows every revision of the history
    record Linearizable(Store end) implements Verdict {
      @Override
      public String toString() {
        return "linearizable up to revision " + end.revision();
      }
    }

    /// @param store the furthest state that could be explained
    /// @param stuck what could not be placed then, the earliest answer leading
    record Violation(Store store, List<Operation> stuck) implements Verdict {
      @Override
      public String toString() {
        StringBuilder text = new StringBuilder("no order explains the history. After revision " + store.revision());
        text.append(", with keys ").append(store.keys().values());
        stuck.stream().limit(8).forEach(
            operation -> {
              text.append("\n    cannot place ").append(operation);
              text.append("\n      the model says ").append(KvModel.step(store, operation.request()).answer());
            });
        return text.toString();
      }
    }

    /// The search was given up: the history leaves too much open.
    ///
    /// @param furthest how far it came
    record Undecided(int nodes, Violation furthest) implements Verdict {}
  }

  private Linearizer(List<Operation> history, Known known) {
    this.known = known;
    List<Operation> sorted = new ArrayList<>(history);
    sorted.sort(Comparator.comparingLong(Operation::invokedNanos).thenComparingLong(Operation::returnedNanos));
    ops = new Op[sorted.size()];
    java.util.SplittableRandom prints = new java.util.SplittableRandom(sorted.size());
    for (int i = 0; i < ops.length; i++) {
      Operation operation = sorted.get(i);
      Op op = new Op(prints.nextLong(), operation, owedAt(operation));
      ops[i] = op;
      op.previous = head.previous;
      op.next = head;
      op.previous.next = op;
      head.previous = op;
      owe(op, 1);
      left += operation.isKnown() ? 1 : 0;
    }
    pin();
  }

  private record Written(Bytes key, Bytes value) {}

  /// An unanswered operation happened where its value was seen, if nobody else wrote the same.
  private void pin() {
    Map<Written, Long> at = new HashMap<>();
    shown.forEach((revision, kvs) -> kvs.forEach(kv -> at.putIfAbsent(new Written(kv.key(), kv.value()), revision)));
    known.changes().forEach(
        (revision, changes) -> {
          for (Change change : changes) {
            if (change.after() != null) {
              at.merge(new Written(change.key(), change.after().value()), revision, Math::min);
            }
          }
        });
    Map<Written, Integer> writers = new HashMap<>();
    Set<Bytes> kept = new HashSet<>();
    for (Op op : ops) {
      noteKept(op.operation().request(), kept);
    }
    for (Op op : ops) {
      writes(op.operation().request()).forEach(written -> writers.merge(written, 1, Integer::sum));
    }
    for (Op op : ops) {
      if (!op.operation().isKnown()) {
        for (Written written : writes(op.operation().request())) {
          if (writers.get(written) == 1 && at.containsKey(written) && !kept.contains(written.key())) {
            op.pinnedAt = at.get(written);
          }
        }
      }
    }
  }

  /// Keys of which some request keeps the value: it then shows under more than one revision.
  private static void noteKept(Object request, Set<Bytes> keys) {
    switch (request) {
      case Request.Put put when put.ignoreValue() -> keys.add(put.key());
      case Request.Txn txn -> {
        txn.success().forEach(op -> noteKept(op, keys));
        txn.failure().forEach(op -> noteKept(op, keys));
      }
      default -> {}
    }
  }

  private static List<Written> writes(Object request) {
    List<Written> all = new ArrayList<>();
    switch (request) {
      case Request.Put put when !put.value().isEmpty() -> all.add(new Written(put.key(), put.value()));
      case Request.Txn txn -> {
        txn.success().forEach(op -> all.addAll(writes(op)));
        txn.failure().forEach(op -> all.addAll(writes(op)));
      }
      default -> {}
    }
    return all;
  }

  /// Notes what the answer gives away; says when it must be placed.
  private long owedAt(Operation operation) {
    Answer answer = operation.answer();
    if (answer == null) {
      return Answer.NO_REVISION;
    }
    note(answer);
    if (changed(answer)) {
      claimed.add(answer.revision());
      return Answer.NO_REVISION;
    }
    return answer.revision(); // that of a revocation may be its own, too: it is paid by then either way
  }

  private void owe(Op op, int more) {
    if (op.owedAt != Answer.NO_REVISION) {
      owed.merge(op.owedAt, more, Integer::sum);
    }
  }

  private void note(Answer answer) {
    switch (answer) {
      case Answer.Ranged ranged -> ranged.kvs().forEach(this::note);
      case Answer.Put put -> {
        if (put.previous() != null) {
          note(put.previous());
        }
      }
      case Answer.Deleted deleted -> deleted.previous().forEach(this::note);
      case Answer.Txn txn -> txn.answers().forEach(this::note);
      default -> {}
    }
  }

  private void note(Kv kv) {
    shown.computeIfAbsent(kv.mod(), none -> new ArrayList<>()).add(kv);
  }

  public static Verdict check(List<Operation> history, Known known) {
    return new Linearizer(history, known).search();
  }

  public static Verdict check(List<Operation> history) {
    return check(history, Known.NOTHING);
  }

  /// Whether the answer says that its operation made its revision. The end of a lease does not tell.
  private static boolean changed(Answer answer) {
    return switch (answer) {
      case Answer.Put _ -> true;
      case Answer.Deleted deleted -> deleted.deleted() > 0;
      case Answer.Txn txn -> txn.answers().stream().anyMatch(Linearizer::changed);
      case Answer.Ranged _, Answer.Compacted _, Answer.Granted _, Answer.Revoked _, Answer.Refused _ -> false;
    };
  }

  // ---- The search ----

  /// One way to go on.
  ///
  /// @param op null for a lease that runs out by itself
  private record Choice(@Nullable Op op, Request request, Store after) {}

  /// A point to which the search can come back.
  private static final class Frame {
    final Store before;
    final long linearizedBefore;
    final int leftBefore;
    final List<Op> placed = new ArrayList<>();
    List<Choice> choices = List.of();
    Known.@Nullable LeaseEvent leaseEvent;
    int next;

    Frame(Store before, long linearizedBefore, int leftBefore) {
      this.before = before;
      this.linearizedBefore = linearizedBefore;
      this.leftBefore = leftBefore;
    }
  }

  private Verdict search() {
    List<Frame> path = new ArrayList<>();
    path.add(enter(null));
    while (!path.isEmpty()) {
      if (left == 0) {
        return new Verdict.Linearizable(store);
      }
      if (++nodes > NODES_MAX) {
        return new Verdict.Undecided(nodes, new Verdict.Violation(furthest, stuck));
      }
      Frame frame = path.getLast();
      if (frame.next < frame.choices.size()) {
        path.add(enter(frame.choices.get(frame.next++)));
      } else {
        leave(path.removeLast());
      }
    }
    return new Verdict.Violation(furthest, stuck);
  }

  /// Takes `choice`, then every read that fits, and finds the ways on from there.
  private Frame enter(@Nullable Choice choice) {
    Frame frame = new Frame(store, linearized, left);
    if (choice != null) {
      if (choice.op() != null) {
        place(choice.op(), frame);
      }
      store = choice.after();
      frame.leaseEvent = Known.LeaseEvent.of(choice.request());
      count(frame.leaseEvent, 1);
    }
    takeReads(frame);
    if (left < leftLeast || left == leftLeast && store.revision() > furthest.revision()) {
      leftLeast = left;
      furthest = store;
      stuck = blocked();
    }
    if (left > 0 && visited.add(linearized ^ store.fingerprint() * 31)) {
      frame.choices = choices();
    }
    return frame;
  }

  private void count(Known.@Nullable LeaseEvent event, int more) {
    if (event != null) {
      leaseEvents.merge(event, more, Integer::sum);
    }
  }

  private void leave(Frame frame) {
    count(frame.leaseEvent, -1);
    for (Op op : frame.placed.reversed()) {
      op.relink();
      owe(op, 1);
    }
    store = frame.before;
    linearized = frame.linearizedBefore;
    left = frame.leftBefore;
  }

  private void place(Op op, Frame frame) {
    op.unlink();
    owe(op, -1);
    frame.placed.add(op);
    linearized ^= op.print;
    if (op.operation().isKnown()) {
      left--;
    }
  }

  /// The time before which an operation must have been asked to be next: somebody else's answer came then.
  private long horizon() {
    long horizon = Operation.NEVER;
    for (Op op = head.next; op != head && op.operation().invokedNanos() <= horizon; op = op.next) {
      horizon = Math.min(horizon, op.operation().returnedNanos());
    }
    return horizon;
  }

  private void takeReads(Frame frame) {
    boolean again = true;
    while (again) {
      again = false;
      long horizon = horizon();
      for (Op op = head.next; op != head && op.operation().invokedNanos() <= horizon; op = op.next) {
        Answer answer = op.operation().answer();
        if (answer == null || answer.revision() != Answer.NO_REVISION && answer.revision() != store.revision()) {
          continue;
        }
        KvModel.Step step = KvModel.step(store, op.operation().request());
        if (step.after() == store && step.answer().equals(answer)) {
          place(op, frame);
          again = true;
        }
      }
    }
  }

  private List<Choice> choices() {
    long horizon = horizon();
    boolean mayAdvance = owed.getOrDefault(store.revision(), 0) == 0;
    boolean hole = mayAdvance && !claimed.contains(store.revision() + 1);
    Demands demands = new Demands();
    for (Op op = head.next; op != head && op.operation().invokedNanos() <= horizon; op = op.next) {
      if (op.operation().isKnown() || hole && (op.pinnedAt == 0 || op.pinnedAt == store.revision() + 1)) {
        demands.note(op.operation());
      }
    }
    List<Choice> certain = new ArrayList<>();
    List<Choice> possible = new ArrayList<>();
    for (Op op = head.next; op != head && op.operation().invokedNanos() <= horizon; op = op.next) {
      Operation operation = op.operation();
      Answer answer = operation.answer();
      if (answer != null && (answer.revision() < store.revision() || answer.revision() > store.revision() + 1)) {
        continue; // a refusal changes nothing
      }
      if (op.pinnedAt != 0 && op.pinnedAt != store.revision() + 1) {
        continue;
      }
      KvModel.Step step = KvModel.step(store, operation.request());
      if (step.after() == store || answer != null && !answer.equals(step.answer())) {
        continue;
      }
      boolean advances = step.after().revision() > store.revision();
      if (answer != null) {
        if (!advances || mayAdvance && wasSeen(step.after())) {
          certain.add(new Choice(op, operation.request(), step.after()));
        }
      } else if (mayHaveHappened(operation.request(), step.after())
          && (advances ? hole && wasSeen(step.after()) : demands.want(operation.request()))) {
        possible.add(new Choice(op, operation.request(), step.after()));
      }
    }
    for (long lease : store.leases()) {
      Request revocation = new Request.LeaseRevoke(lease);
      Store after = KvModel.step(store, revocation).after();
      boolean advances = after.revision() > store.revision();
      if (mayHaveHappened(revocation, after) && (advances ? hole && wasSeen(after) : demands.gone.contains(lease))) {
        possible.add(new Choice(null, revocation, after));
      }
    }
    certain.addAll(possible);
    return certain;
  }

  /// What the answers still to be explained want the state to be.
  private static final class Demands {
    final Set<Long> gone = new TreeSet<>();
    final Set<Long> there = new TreeSet<>();
    boolean compacted;

    /// @param operation answered, or one that may have made the next revision
    void note(Operation operation) {
      if (!operation.isKnown() && operation.request() instanceof Request.LeaseGrant) {
        return;
      }
      boolean notFound = isRefused(operation, EtcdError.LEASE_NOT_FOUND);
      compacted |= isRefused(operation, EtcdError.COMPACTED);
      switch (operation.request()) {
        case Request.LeaseGrant grant -> (isRefused(operation, EtcdError.LEASE_EXIST) ? there : gone).add(grant.id());
        case Request.LeaseRevoke revoke -> (notFound ? gone : there).add(revoke.id());
        case Request.Put put -> (notFound ? gone : there).add(put.lease());
        case Request.Txn txn -> note(txn, notFound ? gone : there);
        default -> {}
      }
    }

    private static void note(Request.Txn txn, Set<Long> leases) {
      for (List<Request.Op> branch : List.of(txn.success(), txn.failure())) {
        for (Request.Op op : branch) {
          switch (op) {
            case Request.Put put -> leases.add(put.lease());
            case Request.Txn nested -> note(nested, leases);
            default -> {}
          }
        }
      }
    }

    /// Whether some answer is only right after `request`, which changes no key.
    boolean want(Request request) {
      return switch (request) {
        case Request.LeaseGrant grant -> there.contains(grant.id());
        case Request.LeaseRevoke revoke -> gone.contains(revoke.id());
        case Request.Compact _ -> compacted;
        default -> false;
      };
    }
  }

  private static boolean isRefused(Operation operation, EtcdError error) {
    return operation.answer() instanceof Answer.Refused refused && refused.error() == error;
  }

  /// Whether it is not known to have been otherwise that `request`, which nobody answered, led to `after`.
  private boolean mayHaveHappened(Request request, Store after) {
    Known.LeaseEvent event = Known.LeaseEvent.of(request);
    return known.mayHave(event, event == null ? 0 : leaseEvents.getOrDefault(event, 0), after.revision());
  }

  /// Whether the last revision of `after` is what others have seen of it.
  private boolean wasSeen(Store after) {
    List<Change> changes = known.changes().get(after.revision());
    if (changes != null) {
      return changes.equals(after.changes());
    }
    for (Kv kv : shown.getOrDefault(after.revision(), List.of())) {
      boolean made = after.changes().stream().anyMatch(change -> change.after() != null && isShownAs(change.after(), kv));
      if (!made) {
        return false;
      }
    }
    return true;
  }

  private static boolean isShownAs(Kv made, Kv shown) {
    return made.equals(shown) || shown.value().isEmpty() && made.keyOnly().equals(shown.keyOnly());
  }

  /// What was asked and answered before anything else could go on.
  private List<Operation> blocked() {
    long horizon = horizon();
    List<Operation> blocked = new ArrayList<>();
    for (Op op = head.next; op != head && op.operation().invokedNanos() <= horizon; op = op.next) {
      if (op.operation().isKnown()) {
        blocked.add(op.operation());
      }
    }
    blocked.sort(Comparator.comparingLong(Operation::returnedNanos));
    if (owed.getOrDefault(store.revision(), 0) > 0) {
      for (Op op = head.next; op != head; op = op.next) {
        if (op.owedAt == store.revision() && op.operation().invokedNanos() > horizon) {
          blocked.addFirst(op.operation()); // from the past, though asked later: this is what keeps the rest from going on
          break;
        }
      }
    }
    return blocked;
  }
}
