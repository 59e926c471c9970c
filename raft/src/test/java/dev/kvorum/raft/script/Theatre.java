package dev.kvorum.raft.script;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.Backdoor;
import dev.kvorum.raft.ConfChange;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.LogStorage;
import dev.kvorum.raft.Message;
import dev.kvorum.raft.RaftConfig;
import dev.kvorum.raft.ReadOnlyOption;
import dev.kvorum.raft.Ready;
import dev.kvorum.raft.Snapshot;
import dev.kvorum.raft.Status;
import dev.kvorum.raft.StepResult;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/// Plays interaction files: a cluster of raw nodes, the messages between them, and what all of them say.
final class Theatre implements Script.Player {
  private final Stage stage = new Stage();
  private final List<Actor> actors = new ArrayList<>();
  private List<Message> messages = new ArrayList<>();

  @Override
  public String play(Directive directive) {
    stage.take();
    String error = "";
    try {
      error = perform(directive);
    } catch (IllegalArgumentException refused) {
      error = String.valueOf(refused.getMessage());
    }
    String output = stage.isSilent() ? error : stage.take() + error;
    return output.isEmpty() ? "ok" : output;
  }

  /// @return the error text, empty when none
  private String perform(Directive d) {
    switch (d.command()) {
      case "_breakpoint" -> {
        // A place for a debugger.
      }
      case "add-nodes" -> addNodes(d);
      case "campaign" -> first(d).node.campaign();
      case "compact" -> {
        return compact(d);
      }
      case "deliver-msgs" -> deliverMessages(d);
      case "process-ready" -> forEach(d, "handling Ready", this::processReady);
      case "process-append-thread" -> forEach(d, "processing append thread", this::processAppendThread);
      case "process-apply-thread" -> forEach(d, "processing apply thread", this::processApplyThread);
      case "log-level" -> stage.setLevel(Stage.levelNumber(d.key(0)));
      case "raft-log" -> printLog(first(d));
      case "raft-state" -> actors.forEach(this::printState);
      case "set-randomized-election-timeout" ->
          Backdoor.forceElectionTimeout(first(d).node, (int) d.number("timeout", 0));
      case "stabilize" -> stabilize(d);
      case "status" ->
          first(d).node.status().progress().forEach((id, view) -> stage.println(id + ": " + view));
      case "tick-election" -> tick(first(d), first(d).config.electionTicks());
      case "tick-heartbeat" -> tick(first(d), first(d).config.heartbeatTicks());
      case "transfer-leadership" -> actor(d.number("from", 0)).node.transferLeader(d.number("to", 0));
      case "forget-leader" -> first(d).node.forgetLeader();
      case "send-snapshot" -> sendSnapshot(first(d), Long.parseLong(d.key(1)));
      case "propose" -> {
        return first(d).node.propose(Bytes.utf8(d.key(1))).text();
      }
      case "propose-conf-change" -> {
        return proposeConfChange(d);
      }
      case "report-unreachable" -> first(d).node.reportUnreachable(Long.parseLong(d.key(1)));
      case "report-snapshot" ->
          first(d).node.reportSnapshot(Long.parseLong(d.key(1)), d.flag("failed"));
      case "read-index" -> first(d).node.readIndex(Bytes.utf8(d.key(1)));
      default -> {
        return "unknown command";
      }
    }
    return "";
  }

  private Actor actor(long id) {
    if (id < 1 || id > actors.size()) {
      throw new ScriptException("no node " + id);
    }
    return actors.get((int) id - 1);
  }

  private Actor first(Directive d) {
    return actor(Long.parseLong(d.key(0)));
  }

  private void addNodes(Directive d) {
    long index = d.number("index", 0);
    String content = d.string("content", "");
    ConfState state = ConfState.of(d.numbers("voters"), d.numbers("learners"));
    boolean blank = index == 0 && content.isEmpty() && state.equals(ConfState.EMPTY);
    if (!blank && index <= 1) {
      throw new IllegalArgumentException("index must be specified as > 1 due to bootstrap");
    }
    Snapshot start = blank ? Snapshot.EMPTY : new Snapshot(Bytes.utf8(content), state, index, 1);
    for (int n = Integer.parseInt(d.key(0)); n > 0; n--) {
      actors.add(new Actor(actors.size() + 1, start, settings(d)));
    }
  }

  private UnaryOperator<RaftConfig> settings(Directive d) {
    long committedBytes = d.number("max-committed-size-per-ready", RaftConfig.UNLIMITED);
    long uncommittedBytes = d.number("max-uncommitted-size", RaftConfig.UNLIMITED);
    long messageBytes = d.number("max-message-size", RaftConfig.UNLIMITED);
    int inflight = (int) d.number("inflight", Integer.MAX_VALUE);
    RaftConfig.Limits limits =
        new RaftConfig.Limits(messageBytes, committedBytes, uncommittedBytes, inflight, d.number("inflight-bytes", 0));
    ReadOnlyOption readOnly =
        switch (d.string("read-only", "safe")) {
          case "safe" -> ReadOnlyOption.SAFE;
          case "lease-based" -> ReadOnlyOption.LEASE_BASED;
          default -> throw new IllegalArgumentException("invalid read-only option");
        };
    RaftConfig.Rules rules =
        RaftConfig.Rules.PLAIN
            .withCheckQuorum(d.flag("checkquorum") || readOnly == ReadOnlyOption.LEASE_BASED)
            .withPreVote(d.flag("prevote"))
            .withReadOnlyOption(readOnly)
            .withAsyncStorageWrites(d.flag("async-storage-writes"))
            .withDisableProposalForwarding(d.flag("disable-proposal-forwarding"))
            .withDisableConfChangeValidation(d.flag("disable-conf-change-validation"))
            .withStepDownOnRemoval(d.flag("step-down-on-removal"));
    return config -> config.withLimits(limits).withRules(rules).withLog(stage);
  }

  private String compact(Directive d) {
    Actor actor = first(d);
    try {
      actor.log.compact(Long.parseLong(d.key(1)));
    } catch (LogStorage.GapException gap) {
      if (gap.gap() == LogStorage.Gap.UNAVAILABLE) {
        throw gap;
      }
      return "requested index is unavailable due to compaction";
    }
    printLog(actor);
    return "";
  }

  private void printLog(Actor actor) {
    long first = actor.log.firstIndex();
    long last = actor.log.lastIndex();
    if (last < first) {
      stage.print("log is empty: first index=" + first + ", last index=" + last);
    } else {
      stage.print(Describe.entries(actor.log.entries(first, last + 1, RaftConfig.UNLIMITED)));
    }
  }

  private void printState(Actor actor) {
    Status status = actor.node.status();
    String kind = status.configuration().voters().contains(actor.id) ? "(Voter)" : "(Non-Voter)";
    stage.println(
        actor.id + ": " + status.state().etcdName() + " " + kind + " Term:" + status.term() + " Lead:" + status.lead());
  }

  private void tick(Actor actor, int ticks) {
    for (int i = 0; i < ticks; i++) {
      actor.node.tick();
    }
  }

  private void sendSnapshot(Actor from, long to) {
    Message message = new Message.InstallSnapshot(to, from.id, from.node.term(), from.snapshot());
    messages.add(message);
    stage.print(Describe.message(message));
  }

  private String proposeConfChange(Directive d) {
    List<ConfChange.Single> changes = ConfChangeTokens.parse(d.input());
    String transition = d.string("transition", "auto");
    if (d.flag("v1")) {
      if (changes.size() != 1 || !transition.equals("auto")) {
        throw new IllegalArgumentException("v1 conf change can only have one operation and no transition");
      }
      ConfChange.Single single = changes.get(0);
      return result(d, new ConfChange.V1(0, single.type(), single.nodeId(), Bytes.EMPTY));
    }
    ConfChange.Transition how =
        switch (transition) {
          case "auto" -> ConfChange.Transition.AUTO;
          case "implicit" -> ConfChange.Transition.JOINT_IMPLICIT;
          case "explicit" -> ConfChange.Transition.JOINT_EXPLICIT;
          default -> throw new IllegalArgumentException("unknown transition " + transition);
        };
    return result(d, new ConfChange.V2(how, changes, Bytes.EMPTY));
  }

  private String result(Directive d, ConfChange change) {
    return first(d).node.proposeConfChange(change).text();
  }

  // ---- messages

  private void deliverMessages(Directive d) {
    String type = d.string("type", "");
    int handled = 0;
    for (Directive.Argument argument : d.arguments()) {
      if (argument.isBare()) {
        handled += deliver(Long.parseLong(argument.key()), type, false);
      } else if (argument.key().equals("drop")) {
        for (String id : argument.values()) {
          if (d.ids().contains(Long.parseLong(id))) {
            throw new ScriptException("can't both deliver and drop messages to " + id);
          }
          handled += deliver(Long.parseLong(id), type, true);
        }
      }
    }
    if (handled == 0) {
      stage.println("no messages");
    }
  }

  /// @param type empty for all
  private int deliver(long to, String type, boolean drop) {
    List<Message> chosen = new ArrayList<>();
    List<Message> others = new ArrayList<>();
    for (Message message : messages) {
      boolean matches = message.to() == to && (type.isEmpty() || message.type().etcdName().equals(type));
      (matches && !(drop && isLocal(message)) ? chosen : others).add(message);
    }
    messages = others;
    for (Message message : chosen) {
      stage.println((drop ? "dropped: " : "") + Describe.message(message));
      if (!drop) {
        StepResult result = actor(to).node.step(message);
        if (!result.isOk()) {
          stage.println(result.text());
        }
      }
    }
    return chosen.size();
  }

  private static boolean isLocal(Message message) {
    return message.from() == message.to()
        || isThread(message.from())
        || isThread(message.to());
  }

  private static boolean isThread(long id) {
    return id == Message.APPEND_THREAD || id == Message.APPLY_THREAD;
  }

  // ---- Readys and threads

  private void forEach(Directive d, String what, Consumer<Actor> act) {
    List<Long> ids = d.ids();
    for (long id : ids) {
      if (ids.size() == 1) {
        act.accept(actor(id));
      } else {
        headed(id, what, () -> act.accept(actor(id)));
      }
    }
  }

  private void headed(long id, String what, Runnable body) {
    stage.println("> " + id + " " + what);
    stage.indented(body);
  }

  private void processReady(Actor actor) {
    Ready ready = actor.node.ready();
    stage.print(Describe.ready(ready));
    boolean async = actor.config.rules().asyncStorageWrites();
    if (!async) {
      actor.persist(ready.hardState(), ready.entries(), ready.snapshot());
      actor.apply(ready.committedEntries());
    }
    for (Message message : ready.messages()) {
      switch (message) {
        case Message.StorageAppend m -> actor.appendWork.add(m);
        case Message.StorageApply m -> actor.applyWork.add(m);
        default -> messages.add(message);
      }
    }
    if (!async) {
      actor.node.advance();
    }
  }

  private void processAppendThread(Actor actor) {
    Message.StorageAppend m = actor.appendWork.poll();
    if (m == null) {
      stage.print("no append work to perform");
      return;
    }
    stage.println("Processing:");
    stage.println(
        Describe.message(
            new Message.StorageAppend(m.to(), m.from(), m.entries(), m.hardState(), m.snapshot(), List.of())));
    actor.persist(m.hardState(), m.entries(), m.snapshot());
    respond(m.responses());
  }

  private void processApplyThread(Actor actor) {
    Message.StorageApply m = actor.applyWork.poll();
    if (m == null) {
      stage.print("no apply work to perform");
      return;
    }
    stage.println("Processing:");
    stage.println(Describe.message(new Message.StorageApply(m.to(), m.from(), m.entries(), List.of())));
    actor.apply(m.entries());
    respond(m.responses());
  }

  private void respond(List<Message> responses) {
    stage.println("Responses:");
    responses.forEach(r -> stage.println(Describe.message(r)));
    messages.addAll(responses);
  }

  private void stabilize(Directive d) {
    int before = stage.level();
    String level = d.string("log-level", "");
    if (!level.isEmpty()) {
      stage.setLevel(Stage.levelNumber(level));
    }
    try {
      List<Actor> cast = d.ids().isEmpty() ? actors : d.ids().stream().map(this::actor).toList();
      while (playRound(cast)) {
        // Until nobody has anything left to do.
      }
    } finally {
      stage.setLevel(before);
    }
  }

  private boolean playRound(List<Actor> cast) {
    boolean busy = false;
    for (Actor actor : cast) {
      if (actor.node.hasReady()) {
        busy = true;
        headed(actor.id, "handling Ready", () -> processReady(actor));
      }
    }
    for (Actor actor : cast) {
      if (messages.stream().anyMatch(m -> m.to() == actor.id)) {
        busy = true;
        headed(actor.id, "receiving messages", () -> deliver(actor.id, "", false));
      }
    }
    for (Actor actor : cast) {
      if (!actor.appendWork.isEmpty()) {
        busy = true;
        stage.println("> " + actor.id + " processing append thread");
        while (!actor.appendWork.isEmpty()) {
          stage.indented(() -> processAppendThread(actor));
        }
      }
    }
    for (Actor actor : cast) {
      if (!actor.applyWork.isEmpty()) {
        busy = true;
        stage.println("> " + actor.id + " processing apply thread");
        while (!actor.applyWork.isEmpty()) {
          stage.indented(() -> processApplyThread(actor));
        }
      }
    }
    return busy;
  }
}
