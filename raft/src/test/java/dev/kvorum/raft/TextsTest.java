package dev.kvorum.raft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.env.Bytes;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextsTest {
  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "``, `\"\"`",
        "61, `\"a\"`",
        "225c, `\"\\\"\\\\\"`",
        "0a0d0907, `\"\\n\\r\\t\\a\"`",
        "00017f, `\"\\x00\\x01\\x7f\"`",
        "c3a9, `\"é\"`",
        "ff61, `\"\\xffa\"`",
        "c3, `\"\\xc3\"`",
        "e282ac, `\"€\"`",
        "c2a0, `\"\\u00a0\"`",
        "f09f9880, `\"😀\"`",
        "eda080, `\"\\xed\\xa0\\x80\"`"
      })
  void bytesAreQuotedLikeGo(String hex, String quoted) {
    assertThat(Texts.quote(HexFormat.of().parseHex(hex == null ? "" : hex))).isEqualTo(quoted);
  }

  @Test
  void aConfChangeIsDescribedAsProtobufText() {
    ConfChange.V2 change =
        new ConfChange.V2(
            ConfChange.Transition.JOINT_IMPLICIT,
            List.of(
                new ConfChange.Single(ConfChange.Type.ADD_LEARNER_NODE, 3),
                new ConfChange.Single(ConfChange.Type.REMOVE_NODE, -1)),
            Bytes.utf8("x"));
    assertThat(Texts.describe(change))
        .isEqualTo(
            "transition:ConfChangeTransitionJointImplicit changes:{type:ConfChangeAddLearnerNode node_id:3}"
                + " changes:{type:ConfChangeRemoveNode node_id:18446744073709551615} context:\"x\"");
  }
}
