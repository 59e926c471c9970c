package dev.kvorum.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import java.util.List;
import org.junit.jupiter.api.Test;

class RequestCostTest {
  private static final Request.Put PUT = Request.Put.of(Bytes.utf8("abc"), Bytes.utf8("defg"));

  @Test
  void aPutCostsItsBytesAndALump() {
    assertThat(RequestCost.of(PUT)).isEqualTo(263);
  }

  @Test
  void aTxnCostsItsDearerBranchNestedTxnsIncluded() {
    Request.Txn nested = new Request.Txn(List.of(), List.of(PUT, PUT), List.of(PUT));
    assertThat(RequestCost.of(nested)).isEqualTo(526);
    assertThat(RequestCost.of(new Request.Txn(List.of(), List.of(nested, PUT), List.of(PUT)))).isEqualTo(789);
    assertThat(RequestCost.of(new Request.Txn(List.of(), List.of(), List.of(nested)))).isEqualTo(526);
  }

  @Test
  void whatOnlyReadsOrDeletesIsFree() {
    Request.DeleteRange delete = Request.DeleteRange.of(PUT.key(), Bytes.EMPTY);
    Request.Range range = Request.Range.of(PUT.key(), Bytes.EMPTY);
    assertThat(RequestCost.of(new Request.Txn(List.of(), List.of(delete, range), List.of()))).isZero();
    assertThat(RequestCost.of(delete)).isZero();
    assertThat(RequestCost.of(new Request.LeaseRevoke(1))).isZero();
    assertThat(RequestCost.of(new Request.LeaseGrant(1, 1))).isEqualTo(64);
  }

  @Test
  void theQuotaAdmitsWhatIsFreeAndWhatStaysBelowIt() {
    Quota quota = Quota.ofFlag(1_000);
    assertThat(quota.admits(PUT, 736)).isTrue();
    assertThat(quota.admits(PUT, 737)).isFalse();
    assertThat(quota.admits(new Request.Compact(1, false), 1 << 20)).isTrue();
    assertThat(Quota.ofFlag(-1).admits(PUT, Long.MAX_VALUE - 1_000)).isTrue();
    assertThat(Quota.ofFlag(0).bytesMax()).isEqualTo(2L << 30);
  }
}
