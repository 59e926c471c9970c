package dev.kvorum.state;

import static dev.kvorum.api.EtcdError.*;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.api.EtcdError;
import dev.kvorum.env.Bytes;
import dev.kvorum.state.Request.Op;
import dev.kvorum.state.Request.SortOrder;
import dev.kvorum.state.Request.SortTarget;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RequestChecksTest {
  private static final Bytes ZERO = Bytes.wrap(new byte[1]);

  private static Bytes b(String text) {
    return Bytes.utf8(text);
  }

  private static Op put(String key) {
    return Request.Put.of(b(key), b("v"));
  }

  private static Op delete(String key, String end) {
    return Request.DeleteRange.of(b(key), b(end));
  }

  private static Op delete(String key) {
    return Request.DeleteRange.of(b(key), Bytes.EMPTY);
  }

  private static Op deleteFrom(String key) {
    return Request.DeleteRange.of(b(key), ZERO);
  }

  private static Op get(String key) {
    return Request.Range.of(b(key), Bytes.EMPTY);
  }

  private static Request.Txn txn(Op... success) {
    return new Request.Txn(List.of(), List.of(success), List.of());
  }

  private static Request.Txn either(List<Op> success, List<Op> failure) {
    return new Request.Txn(List.of(), success, failure);
  }

  static Stream<Arguments> puts() {
    return Stream.of(
        Arguments.of("plain", new Request.Put(b("k"), b("v"), 1, true, false, false), null),
        Arguments.of("no key", new Request.Put(b(""), b("v"), 1, false, true, true), EMPTY_KEY),
        Arguments.of("value beside ignore_value", new Request.Put(b("k"), b("v"), 1, false, true, true),
            VALUE_PROVIDED),
        Arguments.of("lease beside ignore_lease", new Request.Put(b("k"), b("v"), 1, false, false, true),
            LEASE_PROVIDED),
        Arguments.of("both ignored", new Request.Put(b("k"), b(""), 0, false, true, true), null));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("puts")
  void putsAreCheckedInOrder(String name, Request.Put put, @Nullable EtcdError expected) {
    assertThat(RequestChecks.put(put)).isEqualTo(expected);
  }

  private static Request.Range range(String key, SortOrder order, SortTarget target, long minMod) {
    return new Request.Range(b(key), Bytes.EMPTY, 0, 0, order, target, false, false, false, minMod, 0, 0, 0);
  }

  static Stream<Arguments> ranges() {
    return Stream.of(
        Arguments.of("plain", range("k", SortOrder.NONE, SortTarget.KEY, 0), null, null),
        Arguments.of("no key", range("", SortOrder.UNKNOWN, SortTarget.KEY, 0), EMPTY_KEY, EMPTY_KEY),
        Arguments.of("unknown order", range("k", SortOrder.UNKNOWN, SortTarget.KEY, 0), INVALID_SORT_OPTION,
            INVALID_SORT_OPTION),
        Arguments.of("unknown target", range("k", SortOrder.NONE, SortTarget.UNKNOWN, 0), INVALID_SORT_OPTION,
            INVALID_SORT_OPTION),
        Arguments.of("key ascending", range("k", SortOrder.ASCEND, SortTarget.KEY, 0), null, null),
        Arguments.of("value without order", range("k", SortOrder.NONE, SortTarget.VALUE, 0), null, null),
        Arguments.of("key descending", range("k", SortOrder.DESCEND, SortTarget.KEY, 1), null, RANGE_STREAM_SORT),
        Arguments.of("filter", range("k", SortOrder.NONE, SortTarget.KEY, 1), null, RANGE_STREAM_FILTER));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("ranges")
  void rangesAndStreamsAreCheckedInOrder(
      String name, Request.Range range, @Nullable EtcdError expected, @Nullable EtcdError streamed) {
    assertThat(RequestChecks.range(range)).isEqualTo(expected);
    assertThat(RequestChecks.rangeStream(range)).isEqualTo(streamed);
  }

  private static Op keeping(String key) {
    return new Request.Put(b(key), Bytes.EMPTY, 0, false, true, false);
  }

  static Stream<Arguments> vanishing() {
    return Stream.of(
        Arguments.of("deleted to the end, then kept", txn(deleteFrom("a"), keeping("b")), KEY_NOT_FOUND),
        Arguments.of("kept, then deleted to the end", txn(keeping("b"), deleteFrom("a")), null),
        Arguments.of("kept below what is deleted", txn(deleteFrom("b"), keeping("a")), null),
        Arguments.of("deleted outside, kept inside", txn(deleteFrom("a"), txn(keeping("b"))), KEY_NOT_FOUND),
        Arguments.of("deleted in one branch, kept in the other", txn(either(List.of(deleteFrom("a")),
            List.of(keeping("b")))), null),
        Arguments.of("deleted in a branch, kept after it", txn(either(List.of(), List.of(deleteFrom("a"))),
            keeping("b")), KEY_NOT_FOUND),
        Arguments.of("kept inside the else", either(List.of(), List.of(deleteFrom("a"), keeping("b"))), KEY_NOT_FOUND),
        Arguments.of("overwritten, not kept", txn(deleteFrom("a"), put("b")), null));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("vanishing")
  void nothingIsKeptOfAKeyTheTxnDeletedBefore(String name, Request.Txn txn, @Nullable EtcdError expected) {
    assertThat(RequestChecks.txn(txn, 128)).isEqualTo(expected);
  }

  static Stream<Arguments> txns() {
    return Stream.of(
        Arguments.of("empty", txn(), null),
        Arguments.of("unset operation", txn(put("a"), Request.Unset.INSTANCE), KEY_NOT_FOUND),
        Arguments.of("compare without key", new Request.Txn(
            List.of(Compare.version(Bytes.EMPTY, Compare.Result.EQUAL, 0)), List.of(put("")), List.of()), EMPTY_KEY),
        Arguments.of("success before failure", either(List.of(Request.Unset.INSTANCE), List.of(put(""))),
            KEY_NOT_FOUND),
        Arguments.of("operations before duplicates", txn(put("a"), put("a"), put("")), EMPTY_KEY),
        Arguments.of("nested operation", txn(txn(delete(""))), EMPTY_KEY),
        Arguments.of("same key twice", txn(put("a"), put("a")), DUPLICATE_KEY),
        Arguments.of("same key in either branch", either(List.of(put("a")), List.of(put("a"))), null),
        Arguments.of("duplicate in failure", either(List.of(), List.of(put("a"), put("a"))), DUPLICATE_KEY),
        Arguments.of("put, then deleted", txn(put("a"), delete("a")), DUPLICATE_KEY),
        Arguments.of("deleted, then put", txn(delete("a"), put("a")), DUPLICATE_KEY),
        Arguments.of("put inside a deleted range", txn(put("b"), delete("a", "c")), DUPLICATE_KEY),
        Arguments.of("put at the start of a deleted range", txn(put("a"), delete("a", "c")), DUPLICATE_KEY),
        Arguments.of("put at the end of a deleted range", txn(put("c"), delete("a", "c")), null),
        Arguments.of("put behind a deleted key", txn(put("a\0"), delete("a")), null),
        Arguments.of("put inside touching deleted ranges", txn(delete("a", "c"), delete("c", "e"), put("c")),
            DUPLICATE_KEY),
        Arguments.of("put between deleted ranges", txn(delete("a", "b"), delete("c", "e"), put("b")), null),
        Arguments.of("put inside the wider of two deleted ranges", txn(delete("a", "z"), delete("b", "c"), put("m")),
            DUPLICATE_KEY),
        Arguments.of("deletes overlap", txn(delete("a", "c"), delete("b", "d"), delete("b")), null),
        Arguments.of("reversed deleted range excludes nothing", txn(delete("c", "a"), put("b")), null),
        Arguments.of("deleting to the end excludes nothing, as in etcd", txn(deleteFrom("a"), put("b")), null),
        Arguments.of("ranges never conflict", txn(get("a"), get("a"), put("a")), null),
        Arguments.of("nested put against own put", txn(put("a"), txn(put("a"))), DUPLICATE_KEY),
        Arguments.of("nested put against own delete", txn(delete("a"), txn(put("a"))), DUPLICATE_KEY),
        Arguments.of("own put against nested delete", txn(put("a"), txn(delete("a"))), DUPLICATE_KEY),
        Arguments.of("nested branches may share", txn(either(List.of(put("a")), List.of(put("a")))), null),
        Arguments.of("shared by nested branches, then put", txn(either(List.of(put("a")), List.of(put("a"))),
            put("a")), DUPLICATE_KEY),
        Arguments.of("two nested txns put", txn(txn(put("a")), txn(put("a"))), DUPLICATE_KEY),
        Arguments.of("put in the else of one, put in another", txn(
            either(List.of(), List.of(put("a"))), txn(put("a"))), DUPLICATE_KEY),
        Arguments.of("nested delete, then nested put", txn(txn(delete("a")), txn(put("a"))), DUPLICATE_KEY),
        Arguments.of("nested put, then nested delete: passes, as in etcd", txn(txn(put("a")), txn(delete("a"))), null),
        Arguments.of("else of a nested txn against own delete", txn(
            delete("a"), either(List.of(), List.of(put("a")))), DUPLICATE_KEY),
        Arguments.of("two levels down", txn(put("a"), txn(txn(put("a")))), DUPLICATE_KEY));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("txns")
  void txnsAreCheckedInOrder(String name, Request.Txn txn, @Nullable EtcdError expected) {
    assertThat(RequestChecks.txn(txn, 128)).isEqualTo(expected);
  }

  @Test
  void theBudgetOfNestedTxnsIsWhatTheirParentsLeave() {
    List<Op> four = IntStream.range(0, 4).<Op>mapToObj(i -> get("k" + i)).toList();
    assertThat(RequestChecks.txn(either(four, List.of()), 4)).isNull();
    assertThat(RequestChecks.txn(either(four, List.of()), 3)).isEqualTo(TOO_MANY_OPS);
    assertThat(RequestChecks.txn(either(List.of(), four), 3)).isEqualTo(TOO_MANY_OPS);
    Request.Txn compares =
        new Request.Txn(Collections.nCopies(4, Compare.version(b("a"), Compare.Result.EQUAL, 0)), List.of(), List.of());
    assertThat(RequestChecks.txn(compares, 3)).isEqualTo(TOO_MANY_OPS);
    Request.Txn nested = txn(get("a"), either(four, List.of()));
    assertThat(RequestChecks.txn(nested, 6)).isNull();
    assertThat(RequestChecks.txn(nested, 5)).isEqualTo(TOO_MANY_OPS);
  }

  /// The rule by brute force: a flat branch conflicts when two puts share a key or a delete covers a put.
  @Test
  void flatBranchesConflictExactlyWhenSomeKeyIsChangedTwice() {
    Random random = Seeds.random("flatBranchesConflictExactlyWhenSomeKeyIsChangedTwice");
    for (int round = 0; round < 20_000; round++) {
      List<Op> ops = new ArrayList<>();
      for (int i = random.nextInt(7); i > 0; i--) {
        String key = "" + (char) ('a' + random.nextInt(6));
        String end = "" + (char) ('a' + random.nextInt(7));
        ops.add(random.nextBoolean() ? put(key) : random.nextBoolean() ? delete(key) : delete(key, end));
      }
      boolean conflict = RequestChecks.txn(either(ops, List.of()), 128) == DUPLICATE_KEY;
      assertThat(conflict).as(ops.toString()).isEqualTo(conflictsByBruteForce(ops));
    }
  }

  private static boolean conflictsByBruteForce(List<Op> ops) {
    Set<Bytes> puts = new HashSet<>();
    for (Op op : ops) {
      if (op instanceof Request.Put put && !puts.add(put.key())) {
        return true;
      }
    }
    return ops.stream().anyMatch(op ->
        op instanceof Request.DeleteRange delete
            && puts.stream().anyMatch(key -> delete.keys().contains(key)));
  }

  @Test
  void aLargeAndDeepTxnIsCheckedInReasonableTime() {
    Op[] ops = IntStream.range(0, 120).mapToObj(i -> i % 2 == 0 ? put("p" + i) : delete("d" + i,
        "e")).toArray(Op[]::new);
    Request.Txn txn = txn(ops);
    for (int depth = 0; depth < 8; depth++) {
      txn = either(List.of(txn), List.of(txn));
    }
    assertThat(RequestChecks.txn(txn, 128)).isNull();
    assertThat(Arrays.stream(ops).count()).isEqualTo(120);
  }
}
