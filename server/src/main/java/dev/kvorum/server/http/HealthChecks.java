package dev.kvorum.server.http;

import dev.kvorum.member.Caller;
import dev.kvorum.member.Member;
import dev.kvorum.state.alarm.AlarmMember;
import dev.kvorum.state.alarm.AlarmType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// `/health`, `/livez` and `/readyz`, as etcd answers them.
final class HealthChecks {
  private static final String JSON_HEALTHY = "{\"health\":\"true\",\"reason\":\"\"}";

  private static final Logger LOG = LoggerFactory.getLogger(HealthChecks.class);

  private final Member member;
  private final List<Check> live;
  private final List<Check> ready;

  HealthChecks(Member member) {
    this.member = member;
    Check corruption =
        new Check("data_corruption", (caller, done) -> done.accept(corrupt() ? "alarm activated: CORRUPT" : null));
    Check serializable = new Check("serializable_read", (caller, done) -> member.probe(false, caller, done));
    Check linearizable = new Check("linearizable_read", (caller, done) -> member.probe(true, caller, done));
    Check voter =
        new Check(
            "non_learner", (caller, done) -> done.accept(member.isLearner() ? "not supported for learner" : null));
    this.live = List.of(serializable);
    this.ready = List.of(corruption, serializable, linearizable, voter);
  }

  /// Hands on null when all is well, else why not.
  @FunctionalInterface
  private interface Probe {
    void run(Caller caller, Consumer<@Nullable String> done);
  }

  private record Check(String name, Probe probe) {}

  private record Finding(String name, @Nullable String trouble) {}

  private boolean corrupt() {
    return member.alarms().stream().anyMatch(alarm -> alarm.type().equals(AlarmType.CORRUPT));
  }

  void health(HttpQuery query, Caller caller, Consumer<HttpAnswer> reply) {
    for (AlarmMember alarm : member.alarms()) {
      if (!query.all("exclude").contains(alarm.type().toString())) {
        LOG.atWarn().addKeyValue("alarm", alarm.type().toString()).log("serving /health false due to an alarm");
        reply.accept(unhealthy("ALARM " + alarm.type().toString()));
        return;
      }
    }
    boolean serializable = query.isTrue("serializable");
    if (!serializable && !member.hasLeader()) {
      LOG.warn("serving /health false; no leader");
      reply.accept(unhealthy("RAFT NO LEADER"));
      return;
    }
    member.probe(
        !serializable,
        caller,
        trouble ->
            reply.accept(
                trouble == null ? HttpAnswer.plain(200, JSON_HEALTHY) : unhealthy("RANGE ERROR:" + trouble)));
  }

  private static HttpAnswer unhealthy(String reason) {
    LOG.atWarn().addKeyValue("status-code", 503).addKeyValue("reason", reason).log("/health error");
    return HttpAnswer.error(503, "{\"health\":\"false\",\"reason\":\"" + reason + "\"}");
  }

  void kubernetes(HttpQuery query, Caller caller, Consumer<HttpAnswer> reply) {
    boolean isLive = query.path().startsWith("/livez");
    String root = isLive ? "/livez" : "/readyz";
    List<Check> checks = isLive ? live : ready;
    String rest = query.path().substring(root.length());
    if (rest.isEmpty()) {
      checks = checks.stream().filter(check -> !query.all("exclude").contains(check.name())).toList();
    } else {
      checks = checks.stream().filter(check -> rest.equals("/" + check.name())).toList();
      if (checks.isEmpty()) {
        reply.accept(HttpAnswer.notFound());
        return;
      }
    }
    if (!query.isGet()) {
      reply.accept(HttpAnswer.methodNotAllowed("GET"));
      return;
    }
    run(checks, 0, new ArrayList<>(), caller, findings -> reply.accept(answer(findings, query.has("verbose"))));
  }

  private void run(
      List<Check> checks, int at, List<Finding> findings, Caller caller, Consumer<List<Finding>> done) {
    if (at == checks.size()) {
      done.accept(findings);
      return;
    }
    Check check = checks.get(at);
    check
        .probe()
        .run(
            caller,
            trouble -> {
              findings.add(new Finding(check.name(), trouble));
              run(checks, at + 1, findings, caller, done);
            });
  }

  private static HttpAnswer answer(List<Finding> findings, boolean verbose) {
    boolean well = findings.stream().allMatch(finding -> finding.trouble() == null);
    StringBuilder text = new StringBuilder();
    if (verbose || !well) {
      for (Finding finding : findings) {
        text.append(
            finding.trouble() == null
                ? "[+]" + finding.name() + " ok\n"
                : "[-]" + finding.name() + " failed: " + finding.trouble() + "\n");
      }
    }
    return well ? HttpAnswer.plain(200, text + "ok\n") : HttpAnswer.error(503, text.toString());
  }
}
