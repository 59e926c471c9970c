package dev.kvorum.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvorum.api.etcdserverpb.RangeRequest;
import java.util.Arrays;
import java.util.Comparator;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class KeysTest {
  private static final Comparator<ByteString> ORDER = ByteString.unsignedLexicographicalComparator();

  @Test
  void registryKeysAreThirtyFourBytesAndSpreadOverNamespaces() {
    assertThat(Keys.REGISTRY.key(0).toStringUtf8()).isEqualTo("/registry/pods/ns-00/pod-000000000").hasSize(34);
    assertThat(Keys.REGISTRY.key(4_712).toStringUtf8()).isEqualTo("/registry/pods/ns-12/pod-000000047");
    assertThat(Keys.PLAIN.key(42).toStringUtf8()).isEqualTo("key-000000000042");
  }

  @Test
  void everyNumberHasAKeyOfItsOwnBetweenFirstAndEnd() {
    for (Keys keys : Keys.values()) {
      TreeSet<ByteString> all = new TreeSet<>(ORDER);
      for (int i = 0; i < 20_000; i++) {
        all.add(keys.key(i));
      }
      assertThat(all).hasSize(20_000);
      assertThat(ORDER.compare(keys.first(), all.first())).isNegative();
      assertThat(ORDER.compare(keys.end(), all.last())).isPositive();
    }
  }

  @Test
  void aSpanHoldsTheKeysOfOneNamespaceBetweenTwoNumbers() throws InvalidProtocolBufferException {
    Template span = Template.span(Keys.REGISTRY);
    for (int first : new int[] {0, 1_234, 999_999}) {
      span.setSpan(first, first + 100_000);
      RangeRequest request = RangeRequest.parseFrom(Arrays.copyOfRange(span.frame(), 5, span.frame().length));
      assertThat(request.getKey()).isEqualTo(Keys.REGISTRY.key(first));
      assertThat(request.getRangeEnd()).isEqualTo(Keys.REGISTRY.key(first + 100_000));
    }
  }
}
