package dev.kvorum.api;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class GoJsonTest {
  @Test
  void everyAsciiCharacterIsQuotedAsGoQuotesIt() {
    StringBuilder all = new StringBuilder();
    for (char c = 0; c < 0x80; c++) {
      all.append(c);
    }
    // What json.Marshal of Go 1.26 answers.
    assertThat(quoted(all.toString())).isEqualTo(
        "\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e\\u000f"
            + "\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001a\\u001b\\u001c\\u001d\\u001e"
            + "\\u001f !\\\"#$%\\u0026'()*+,-./0123456789:;\\u003c=\\u003e?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\\\]^_`"
            + "abcdefghijklmnopqrstuvwxyz{|}~\u007f\"");
  }

  @Test
  void beyondAsciiOnlyTheLineSeparatorsAreEscaped() {
    assertThat(quoted("é\u2027\u2028\u2029\u202a😀")).isEqualTo("\"é\u2027\\u2028\\u2029\u202a😀\"");
  }

  private static String quoted(String text) {
    StringBuilder json = new StringBuilder();
    GoJson.quote(text, json);
    return json.toString();
  }
}
