package dev.kvorum.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;

class EtcdErrorTest {
  /// symbol, grpc_code, code_num, message, http, client_map
  private static final int SYMBOL = 0;

  private static final int LABEL = 1;
  private static final int NUMBER = 2;
  private static final int MESSAGE = 3;
  private static final int HTTP = 4;
  private static final int CLIENT_MAP = 5;

  @Test
  void everyStatusOfEtcdIsInTheCatalogueWithItsCodeAndText() throws IOException {
    Map<String, EtcdError> bySymbol = new HashMap<>();
    Arrays.stream(EtcdError.values()).forEach(error -> bySymbol.put(error.symbol(), error));
    Set<String> seen = new HashSet<>();
    SoftAssertions soft = new SoftAssertions();
    for (String[] row : Reference.rows("errors.tsv")) {
      if (!row[NUMBER].matches("\\d+") || row[MESSAGE].contains("<") || row[SYMBOL].startsWith("(typed error")) {
        continue;
      }
      boolean wire = row[SYMBOL].startsWith("(wire)");
      EtcdError error = wire ? EtcdError.typedByMessage(row[MESSAGE]) : bySymbol.get(row[SYMBOL]);
      soft.assertThat(error).as(row[SYMBOL]).isNotNull();
      if (error == null) {
        continue;
      }
      seen.add(error.symbol());
      GrpcCode code = wire ? error.code() : error.declaredCode();
      soft.assertThat(code.number()).as(row[SYMBOL]).isEqualTo(Integer.parseInt(row[NUMBER]));
      soft.assertThat(code.label()).as(row[SYMBOL]).isEqualTo(row[LABEL]);
      soft.assertThat(code.httpStatus()).as(row[SYMBOL]).isEqualTo(Integer.parseInt(row[HTTP]));
      soft.assertThat(error.message()).as(row[SYMBOL]).isEqualTo(row[MESSAGE]);
      soft.assertThat(error.isTypedByClients()).as(row[SYMBOL]).isEqualTo(row[CLIENT_MAP].equals("yes"));
    }
    soft.assertThat(seen).isEqualTo(bySymbol.keySet());
    soft.assertAll();
  }

  @Test
  void everyWatchCancelReasonIsInTheCatalogueWithItsText() throws IOException {
    Map<String, String> expected = new HashMap<>();
    for (String[] row : Reference.rows("errors.tsv")) {
      if (row[LABEL].equals("cancel_reason")) {
        expected.put(row[SYMBOL], row[MESSAGE]);
      }
    }
    Map<String, String> ours = new HashMap<>();
    Arrays.stream(WatchCancelReason.values()).forEach(reason -> ours.put(reason.symbol(), reason.text()));
    assertThat(ours).isEqualTo(expected);
  }

  @Test
  void twoErrorsGoOutAsUnknownThoughDeclaredOtherwise() {
    assertThat(Arrays.stream(EtcdError.values()).filter(error -> error.code() != error.declaredCode()))
        .containsExactlyInAnyOrder(EtcdError.MEMBER_NOT_ENOUGH_STARTED, EtcdError.TOO_MANY_REQUESTS)
        .allSatisfy(error -> assertThat(error.code()).isEqualTo(GrpcCode.UNKNOWN));
  }

  @Test
  void aRefusalIsSharedAndHasNoStackTrace() {
    EtcdException refusal = EtcdError.COMPACTED.exception();
    assertThat(refusal).isSameAs(EtcdError.COMPACTED.exception());
    assertThat(refusal.getStackTrace()).isEmpty();
    assertThat(refusal.error()).isEqualTo(EtcdError.COMPACTED);
    assertThat(refusal.code()).isEqualTo(GrpcCode.OUT_OF_RANGE);
    assertThat(refusal)
        .hasToString("rpc error: code = OutOfRange desc = etcdserver: mvcc: required revision has been compacted");
  }

  @Test
  void textsWithNumbersAndNamesAreMadeToMeasure() {
    assertThat(EtcdException.receivedTooLarge(3_000_000, 2_097_152).text())
        .isEqualTo("grpc: received message larger than max (3000000 vs. 2097152)");
    assertThat(EtcdException.unknownMethod("etcdserverpb.KV", "Get").text())
        .isEqualTo("unknown method Get for service etcdserverpb.KV");
    assertThat(EtcdException.unknownService("a.B").code()).isEqualTo(GrpcCode.UNIMPLEMENTED);
    assertThat(EtcdException.invalidGrpcTimeout("1").error()).isNull();
    assertThatThrownBy(() -> EtcdException.of(GrpcCode.OK, "fine")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aRefusalInsideALockLosesItsCodeButNotItsText() {
    EtcdException inner = EtcdError.LEASE_NOT_FOUND.exception().asInnerCall();
    assertThat(inner.code()).isEqualTo(GrpcCode.UNKNOWN);
    assertThat(inner.text()).isEqualTo(EtcdError.LEASE_NOT_FOUND.message());
    assertThat(EtcdError.CONTEXT_CANCELED.exception().asInnerCall().code()).isEqualTo(GrpcCode.CANCELED);
  }

  @Test
  void codesAreFoundByNumber() {
    for (GrpcCode code : GrpcCode.values()) {
      assertThat(GrpcCode.ofNumber(code.number())).isEqualTo(code);
      assertThat(io.grpc.Status.fromCodeValue(code.number()).getCode().value()).isEqualTo(code.number());
    }
    assertThat(GrpcCode.ofNumber(17)).isNull();
    assertThat(GrpcCode.ofNumber(-1)).isNull();
  }
}
