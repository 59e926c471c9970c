package dev.kvorum.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvorum.api.etcdserverpb.PutRequest;
import dev.kvorum.api.etcdserverpb.RangeRequest;
import dev.kvorum.api.etcdserverpb.TxnRequest;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class TemplateTest {
  private static byte[] body(Template template) {
    return Arrays.copyOfRange(template.frame(), 5, template.frame().length);
  }

  @Test
  void aPutCarriesTheKeyAndTheStampItWasGiven() throws InvalidProtocolBufferException {
    Template template = Template.put(256);
    template.setKey(4_711);
    template.setStamp(0x0102030405060708L);
    PutRequest put = PutRequest.parseFrom(body(template));
    assertThat(put.getKey()).isEqualTo(Template.key(4_711));
    assertThat(put.getValue().size()).isEqualTo(256);
    assertThat(Template.readStamp(put.getValue().toByteArray(), 0)).isEqualTo(0x0102030405060708L);
  }

  @Test
  void aTxnNamesOneKeyThroughout() throws InvalidProtocolBufferException {
    Template template = Template.txn(64);
    template.setKey(999_999);
    TxnRequest txn = TxnRequest.parseFrom(body(template));
    assertThat(txn.getCompare(0).getKey()).isEqualTo(Template.key(999_999));
    assertThat(txn.getSuccess(0).getRequestPut().getKey()).isEqualTo(Template.key(999_999));
    assertThat(txn.getFailure(0).getRequestRange().getKey()).isEqualTo(Template.key(999_999));
  }

  @Test
  void aLongRangeEndsBehindItsLastKey() throws InvalidProtocolBufferException {
    RangeRequest range = RangeRequest.parseFrom(body(Template.rangeMany(1_000, true)));
    assertThat(range.getKey()).isEqualTo(Template.key(0));
    assertThat(range.getRangeEnd()).isEqualTo(Template.key(1_000));
    assertThat(range.getSerializable()).isTrue();
  }

  @Test
  void thePrefixHoldsTheLength() {
    assertThat(Template.framed(new byte[300])).hasSize(305).startsWith(0, 0, 0, 1, 44);
  }
}
