package dev.kvorum.sim.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.api.EtcdError;
import dev.kvorum.env.Bytes;
import dev.kvorum.state.Compare;
import dev.kvorum.state.Request;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.jspecify.annotations.Nullable;

/// The judge of judges: histories made by hand, right ones and each kind of wrong one.
class LinearizerTest {
  private final List<Operation> history = new ArrayList<>();
  private long now;

  // ---- Histories by hand: one operation after another unless times are given

  private void did(Request request, Answer answer) {
    between(now + 1, now + 2, request, answer);
  }

  private void between(long from, long to, Request request, @Nullable Answer answer) {
    history.add(
        answer == null
            ? Operation.unknown(history.size(), request, from)
            : new Operation(history.size(), request, from, to, answer));
    now = Math.max(now, to);
  }

  private static Request.Put put(String key, String value) {
    return Request.Put.of(Bytes.utf8(key), Bytes.utf8(value));
  }

  private static Request.Range get(String key) {
    return Request.Range.of(Bytes.utf8(key), Bytes.EMPTY);
  }

  private static Answer.Put done(long revision) {
    return new Answer.Put(revision, null);
  }

  private static Kv kv(String key, String value, long create, long mod, long version) {
    return new Kv(Bytes.utf8(key), Bytes.utf8(value), create, mod, version, 0);
  }

  private static Answer found(long revision, Kv... kvs) {
    return new Answer.Ranged(revision, List.of(kvs), false, kvs.length);
  }

  private void isRight() {
    assertThat(Linearizer.check(history)).isInstanceOf(Linearizer.Verdict.Linearizable.class);
  }

  private void isWrong() {
    assertThat(Linearizer.check(history)).isInstanceOf(Linearizer.Verdict.Violation.class);
  }

  @Test
  void aPlainStoryIsRight() {
    did(put("a", "1"), done(2));
    did(get("a"), found(2, kv("a", "1", 2, 2, 1)));
    did(put("a", "2"), done(3));
    did(get("a"), found(3, kv("a", "2", 2, 3, 2)));
    isRight();
  }

  @Test
  void aStaleReadIsFound() {
    did(put("a", "1"), done(2));
    did(put("a", "2"), done(3));
    did(get("a"), found(2, kv("a", "1", 2, 2, 1)));
    isWrong();
  }

  @Test
  void anOldValueUnderANewRevisionIsFound() {
    did(put("a", "1"), done(2));
    did(put("a", "2"), done(3));
    did(get("a"), found(3, kv("a", "1", 2, 2, 1)));
    isWrong();
  }

  @Test
  void aReadBesideAWriteMaySeeEither() {
    did(put("a", "1"), done(2));
    between(10, 20, put("a", "2"), done(3));
    between(11, 19, get("a"), found(2, kv("a", "1", 2, 2, 1)));
    between(12, 18, get("a"), found(3, kv("a", "2", 2, 3, 2)));
    isRight();
  }

  @Test
  void readsThatGoBackAreFound() {
    did(put("a", "1"), done(2));
    between(10, 20, put("a", "2"), done(3));
    between(11, 12, get("a"), found(3, kv("a", "2", 2, 3, 2)));
    between(13, 14, get("a"), found(2, kv("a", "1", 2, 2, 1)));
    isWrong();
  }

  @Test
  void aLostUpdateIsFound() {
    did(put("a", "1"), done(2));
    did(put("a", "2"), done(3));
    did(put("a", "3"), done(3));
    isWrong();
  }

  @Test
  void aLostAcknowledgedWriteIsFound() {
    did(put("a", "1"), done(2));
    did(put("b", "2"), done(3));
    did(get("b"), found(3));
    isWrong();
  }

  @Test
  void aWriteAppliedTwiceIsFound() {
    did(put("a", "1"), done(2));
    did(get("a"), found(3, kv("a", "1", 2, 3, 2)));
    isWrong();
  }

  @Test
  void anUnansweredWriteMayHappenOnceButNotTwice() {
    between(1, 2, put("a", "1"), null);
    did(get("a"), found(2, kv("a", "1", 2, 2, 1)));
    isRight();
    did(get("a"), found(3, kv("a", "1", 2, 3, 2)));
    isWrong();
  }

  @Test
  void anUnansweredWriteMayHappenLateOrNever() {
    between(1, 2, put("a", "1"), null);
    did(get("a"), found(1));
    isRight();
    did(get("a"), found(2, kv("a", "1", 2, 2, 1)));
    isRight();
  }

  @Test
  void aRevisionThatGoesBackIsFound() {
    did(put("a", "1"), done(2));
    did(put("b", "1"), done(3));
    did(put("c", "1"), done(3));
    isWrong();
  }

  @Test
  void aRevisionThatSkipsIsFound() {
    did(put("a", "1"), done(2));
    did(put("b", "1"), done(4));
    isWrong();
  }

  @Test
  void aTxnHalfAppliedIsFound() {
    Request.Txn both = new Request.Txn(List.of(), List.of(put("a", "1"), put("b", "1")), List.of());
    did(both, new Answer.Txn(2, true, List.of(new Answer.Put(0, null), new Answer.Put(0, null))));
    did(get("a"), found(2, kv("a", "1", 2, 2, 1)));
    isRight();
    did(get("b"), found(2));
    isWrong();
  }

  @Test
  void anUnansweredTxnHalfAppliedIsFound() {
    between(1, 2, new Request.Txn(List.of(), List.of(put("a", "1"), put("b", "1")), List.of()), null);
    did(get("a"), found(2, kv("a", "1", 2, 2, 1)));
    did(get("b"), found(2));
    isWrong();
  }

  @Test
  void aTxnThatTookTheWrongBranchIsFound() {
    did(put("a", "1"), done(2));
    Compare absent = Compare.version(Bytes.utf8("a"), Compare.Result.EQUAL, 0);
    did(
        new Request.Txn(List.of(absent), List.of(put("a", "2")), List.of()),
        new Answer.Txn(3, true, List.of(new Answer.Put(0, null))));
    isWrong();
  }

  @Test
  void aDeletionThatMissedAKeyIsFound() {
    did(put("a", "1"), done(2));
    did(put("b", "1"), done(3));
    Request.DeleteRange all = Request.DeleteRange.of(Bytes.utf8("a"), Bytes.utf8("z"));
    did(all, new Answer.Deleted(4, 1, List.of()));
    isWrong();
  }

  @Test
  void aWrongVersionOrCreationIsFound() {
    did(put("a", "1"), done(2));
    did(Request.DeleteRange.of(Bytes.utf8("a"), Bytes.EMPTY), new Answer.Deleted(3, 1, List.of()));
    did(put("a", "2"), done(4));
    did(get("a"), found(4, kv("a", "2", 2, 4, 2)));
    isWrong();
  }

  @Test
  void aWrongPreviousValueIsFound() {
    did(put("a", "1"), done(2));
    Request.Put asks = new Request.Put(Bytes.utf8("a"), Bytes.utf8("2"), 0, true, false, false);
    did(asks, new Answer.Put(3, kv("a", "0", 2, 2, 1)));
    isWrong();
  }

  @Test
  void aWriteSeenBeforeItWasAskedIsFound() {
    did(get("a"), found(2, kv("a", "1", 2, 2, 1)));
    did(put("a", "1"), done(2));
    isWrong();
  }

  @Test
  void aRefusedWriteThatHappenedIsFound() {
    Request.Put leased = new Request.Put(Bytes.utf8("a"), Bytes.utf8("1"), 7, false, false, false);
    did(leased, new Answer.Refused(EtcdError.LEASE_NOT_FOUND));
    isRight();
    did(get("a"), found(2, new Kv(Bytes.utf8("a"), Bytes.utf8("1"), 2, 2, 1, 7)));
    isWrong();
  }

  @Test
  void historyBelowACompactionIsRefusedAndAtItIsNot() {
    did(put("a", "1"), done(2));
    did(put("a", "2"), done(3));
    did(put("a", "3"), done(4));
    did(new Request.Compact(3, false), new Answer.Compacted(4));
    did(Request.Range.at(Bytes.utf8("a"), Bytes.EMPTY, 2), new Answer.Refused(EtcdError.COMPACTED));
    did(Request.Range.at(Bytes.utf8("a"), Bytes.EMPTY, 3), found(4, kv("a", "2", 2, 3, 2)));
    isRight();
    did(Request.Range.at(Bytes.utf8("a"), Bytes.EMPTY, 2), found(4, kv("a", "1", 2, 2, 1)));
    isWrong();
  }

  @Test
  void aLeaseMayRunOutByItselfAndTakesAllItsKeys() {
    did(new Request.LeaseGrant(5, 7), new Answer.Granted(1, 7));
    did(new Request.Put(Bytes.utf8("a"), Bytes.utf8("1"), 7, false, false, false), done(2));
    did(new Request.Put(Bytes.utf8("b"), Bytes.utf8("1"), 7, false, false, false), done(3));
    did(get("a"), found(4));
    did(get("b"), found(4));
    isRight();
    did(get("b"), found(4, new Kv(Bytes.utf8("b"), Bytes.utf8("1"), 3, 3, 1, 7)));
    isWrong();
  }

  @Test
  void aLeaseWithoutKeysMayRunOutUnseen() {
    did(new Request.LeaseGrant(5, 7), new Answer.Granted(1, 7));
    did(new Request.LeaseRevoke(7), new Answer.Refused(EtcdError.LEASE_NOT_FOUND));
    did(new Request.LeaseGrant(5, 7), new Answer.Granted(1, 7));
    isRight();
  }

  @Test
  void whatWatchersSawMustBeWhatHappened() {
    between(1, 2, put("a", "1"), null);
    between(1, 2, put("a", "2"), null);
    did(put("b", "1"), done(3));
    Kv second = kv("a", "2", 2, 2, 1);
    var verdict = Linearizer.check(history, new Known(Map.of(2L, List.of(new Change(2, second.key(), second, null))), null));
    assertThat(verdict).isInstanceOf(Linearizer.Verdict.Linearizable.class);
    assertThat(((Linearizer.Verdict.Linearizable) verdict).end().keys().get(second.key())).isEqualTo(second);
    Kv third = kv("a", "3", 2, 2, 1);
    assertThat(Linearizer.check(history, new Known(Map.of(2L, List.of(new Change(2, third.key(), third, null))), null)))
        .isInstanceOf(Linearizer.Verdict.Violation.class);
  }

  @Test
  void tenThousandOperationsOfFiftyClientsAreJudgedWithinAMinute() {
    RandomHistory random = new RandomHistory(RandomHistory.seed(), 50, 10_000);
    var seen = random.seen();
    long begun = System.nanoTime();
    Linearizer.Verdict verdict = Linearizer.check(random.operations(), new Known(seen, null));
    Duration took = Duration.ofNanos(System.nanoTime() - begun);
    System.out.println("linearizability of 10,000 operations of 50 clients, seed " + random.drawnFrom() + ": " + took);
    assertThat(verdict).as("seed %d", random.drawnFrom()).isInstanceOf(Linearizer.Verdict.Linearizable.class);
    assertThat(took).isLessThan(Duration.ofMinutes(1));
  }

  @Test
  void oneWrongAnswerAmongManyIsFound() {
    long seed = RandomHistory.seed();
    for (int i = 0; i < 40; i++) {
      RandomHistory random = new RandomHistory(seed + i, 8, 300);
      assertThat(Linearizer.check(random.operations()))
          .as("seed %d", seed + i)
          .isInstanceOf(Linearizer.Verdict.Linearizable.class);
      assertThat(Linearizer.check(random.spoilt())).as("seed %d", seed + i)
          .isInstanceOf(Linearizer.Verdict.Violation.class);
    }
  }
}
