package dev.kvorum.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.kvorum.api.etcdserverpb.RangeResponse;
import dev.kvorum.api.etcdserverpb.ResponseHeader;
import dev.kvorum.api.mvccpb.KeyValue;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RangeScannerTest {
  private static byte[] answer(int keys, long count) {
    ResponseHeader.Builder header = ResponseHeader.newBuilder().setRevision(1L << 40);
    RangeResponse.Builder answer = RangeResponse.newBuilder().setHeader(header).setMore(true).setCount(count);
    for (int i = 0; i < keys; i++) {
      ByteString value = ByteString.copyFrom(new byte[i % 400]);
      answer.addKvs(KeyValue.newBuilder().setKey(Keys.REGISTRY.key(i)).setValue(value).setLease(-1));
    }
    return answer.build().toByteArray();
  }

  @Test
  void keysAreCountedWhereverTheAnswerIsCut() {
    long seed = Long.getLong("kvorum.seed", System.nanoTime());
    System.out.println("kvorum.seed=" + seed);
    Random random = new Random(seed);
    RangeScanner scanner = new RangeScanner();
    for (int run = 0; run < 200; run++) {
      int keys = random.nextInt(300);
      byte[] answer = answer(keys, 1_000_000 + keys);
      scanner.begin();
      for (int at = 0; at < answer.length; ) {
        int length = Math.min(answer.length - at, 1 + random.nextInt(run % 2 == 0 ? 3 : 5_000));
        scanner.scan(answer, at, length);
        at += length;
      }
      assertThat(scanner.keys()).isEqualTo(keys);
      assertThat(scanner.count()).isEqualTo(1_000_000 + keys);
      assertThat(scanner.isWhole()).isTrue();
    }
  }

  @Test
  void anAnswerCutShortIsNotWhole() {
    byte[] answer = answer(3, 3);
    RangeScanner scanner = new RangeScanner();
    scanner.begin();
    scanner.scan(answer, 0, answer.length - 1);
    assertThat(scanner.isWhole()).isFalse();
  }

  @Test
  void nonsenseIsNotWhole() {
    byte[] nonsense = new byte[64];
    Arrays.fill(nonsense, (byte) 0xff);
    RangeScanner scanner = new RangeScanner();
    scanner.begin();
    scanner.scan(nonsense, 0, nonsense.length);
    assertThat(scanner.isWhole()).isFalse();
  }
}
