package dev.kvorum.server.log;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;

class ZapEncoderTest {
  private static final Instant AT = Instant.parse("2026-01-31T09:15:04.123450999Z");

  private final LoggerContext context = new LoggerContext();

  private LoggingEvent event(String logger, Level level, String message, @Nullable Throwable thrown) {
    LoggingEvent event = new LoggingEvent("", context.getLogger(logger), level, message, thrown, null);
    event.setInstant(AT);
    event.setCallerData(
        new StackTraceElement[] {new StackTraceElement("dev.kvorum.member.RaftLoop", "run", "RaftLoop.java", 120)});
    return event;
  }

  private static String encode(LoggingEvent event, boolean console, ZoneId zone) {
    return new String(new ZapEncoder(console, zone).encode(event), StandardCharsets.UTF_8);
  }

  private static String json(LoggingEvent event) {
    return encode(event, false, ZoneOffset.UTC);
  }

  private static void field(LoggingEvent event, String key, @Nullable Object value) {
    event.addKeyValuePair(new KeyValuePair(key, value));
  }

  @Test
  void aJsonLineHasZapsKeysInZapsOrder() {
    LoggingEvent event = event("dev.kvorum.member.RaftLoop", Level.INFO, "ready to serve client requests", null);
    field(event, "took", Duration.ofNanos(1_369_568));
    field(event, "quota-size-bytes", 2147483648L);
    field(event, "urls", List.of("http://a:1", "http://b:2"));
    field(event, "none", new String[0]);
    field(event, "on", true);
    field(event, "nothing", null);
    assertThat(json(event))
        .isEqualTo(
            "{\"level\":\"info\",\"ts\":\"2026-01-31T09:15:04.123450Z\",\"caller\":\"member/RaftLoop.java:120\","
                + "\"msg\":\"ready to serve client requests\",\"took\":\"1.369568ms\","
                + "\"quota-size-bytes\":2147483648,\"urls\":[\"http://a:1\",\"http://b:2\"],\"none\":[],"
                + "\"on\":true,\"nothing\":null}\n");
  }

  @Test
  void onlyNamedLoggersAreNamed() {
    assertThat(json(event("raft", Level.WARN, "x", null))).contains("\",\"logger\":\"raft\",\"caller\":");
    assertThat(json(event("dev.kvorum.wal.Wal", Level.WARN, "x", null))).doesNotContain("logger");
  }

  @Test
  void timesCarryTheZoneWithoutAColon() {
    LoggingEvent event = event("x", Level.INFO, "m", null);
    assertThat(encode(event, false, ZoneOffset.ofHoursMinutes(5, 30))).contains("\"2026-01-31T14:45:04.123450+0530\"");
    assertThat(encode(event, false, ZoneOffset.ofHours(-8))).contains("\"2026-01-31T01:15:04.123450-0800\"");
  }

  @Test
  void errorsCarryTheirStack() {
    JsonObject line = parse(json(event("x", Level.ERROR, "failed", new IOException("disk gone"))));
    assertThat(line.get("error").getAsString()).isEqualTo("disk gone");
    assertThat(line.get("stacktrace").getAsString()).contains("IOException: disk gone", "ZapEncoderTest.java:");
    assertThat(parse(json(event("x", Level.WARN, "failed", new IOException("disk gone")))).has("stacktrace")).isFalse();
  }

  @Test
  void anErrorGivenAsAFieldIsNotSaidTwice() {
    LoggingEvent event = event("x", Level.WARN, "failed", new IOException("from the cause"));
    field(event, "error", new IOException("from the field"));
    assertThat(json(event)).containsOnlyOnce("\"error\"").contains("\"error\":\"from the field\"");
  }

  @Test
  void fatalAndPanicAreLevelsByMarker() {
    LoggingEvent event = event("x", Level.ERROR, "m", null);
    event.addMarker(Loud.FATAL);
    assertThat(json(event)).startsWith("{\"level\":\"fatal\"");
    LoggingEvent panic = event("x", Level.ERROR, "m", null);
    panic.addMarker(Loud.PANIC);
    assertThat(json(panic)).startsWith("{\"level\":\"panic\"");
  }

  @Test
  void whateverTextBecomesValidJson() {
    String nasty = "a\"b\\c\n\t\r\u0000\u001f é 語 😀 \ud800 end";
    LoggingEvent event = event("x", Level.INFO, nasty, null);
    field(event, nasty, nasty);
    field(event, "nan", Double.NaN);
    field(event, "map", Map.of("k", Arrays.asList(1, null, 2.5)));
    String line = json(event);
    assertThat(line.indexOf('\n')).isEqualTo(line.length() - 1);
    JsonObject parsed = parse(line);
    assertThat(parsed.get(nasty).getAsString()).isEqualTo(nasty);
    assertThat(parsed.get("nan").getAsString()).isEqualTo("NaN");
    assertThat(parsed.get("map").toString()).isEqualTo("{\"k\":[1,null,2.5]}");
  }

  @Test
  void consoleLinesAreTabbedWithFieldsAsJson() {
    LoggingEvent event = event("raft", Level.INFO, "Running: ", null);
    field(event, "args", List.of("etcd", "--log-format=console"));
    field(event, "n", 1);
    assertThat(encode(event, true, ZoneOffset.UTC))
        .isEqualTo(
            "2026-01-31T09:15:04.123450Z\tinfo\traft\tmember/RaftLoop.java:120\tRunning: \t"
                + "{\"args\": [\"etcd\", \"--log-format=console\"], \"n\": 1}\n");
  }

  private static JsonObject parse(String line) {
    return JsonParser.parseString(line).getAsJsonObject();
  }
}
