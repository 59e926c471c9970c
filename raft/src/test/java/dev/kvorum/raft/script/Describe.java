package dev.kvorum.raft.script;

import dev.kvorum.env.Bytes;
import dev.kvorum.raft.Backdoor;
import dev.kvorum.raft.ConfChange;
import dev.kvorum.raft.ConfChangeCodec;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.EntryType;
import dev.kvorum.raft.HardState;
import dev.kvorum.raft.Message;
import dev.kvorum.raft.Ready;
import dev.kvorum.raft.Snapshot;
import dev.kvorum.raft.SoftState;
import java.util.List;
import java.util.stream.Collectors;

/// Prints messages, entries and Readys as etcd raft does. Its one message type has all fields; ours are looked up by
/// kind.
final class Describe {
  private Describe() {}

  /// The fields of etcd's message that transcripts show.
  private record Fields(
      long term,
      long logTerm,
      long index,
      boolean reject,
      long rejectHint,
      long commit,
      long vote,
      List<Entry> entries,
      Snapshot snapshot,
      List<Message> responses) {
    static Fields of(long term) {
      return at(term, 0, 0);
    }

    static Fields at(long term, long logTerm, long index) {
      return new Fields(term, logTerm, index, false, 0, 0, 0, List.of(), Snapshot.EMPTY, List.of());
    }

    Fields rejecting(boolean is, long hint) {
      return new Fields(term, logTerm, index, is, hint, commit, vote, entries, snapshot, responses);
    }

    Fields committing(long to) {
      return new Fields(term, logTerm, index, reject, rejectHint, to, vote, entries, snapshot, responses);
    }

    Fields voting(long for_) {
      return new Fields(term, logTerm, index, reject, rejectHint, commit, for_, entries, snapshot, responses);
    }

    Fields with(List<Entry> list) {
      return new Fields(term, logTerm, index, reject, rejectHint, commit, vote, list, snapshot, responses);
    }

    Fields with(Snapshot one) {
      return new Fields(term, logTerm, index, reject, rejectHint, commit, vote, entries, one, responses);
    }

    Fields answeredBy(List<Message> list) {
      return new Fields(term, logTerm, index, reject, rejectHint, commit, vote, entries, snapshot, list);
    }
  }

  private static Fields fields(Message message) {
    return switch (message) {
      case Message.Propose m -> Fields.of(0).with(m.entries());
      case Message.Append m ->
          Fields.at(m.term(), m.prevTerm(), m.prevIndex()).committing(m.commit()).with(m.entries());
      case Message.AppendResponse m ->
          Fields.at(m.term(), m.hintTerm(), m.index()).rejecting(m.reject(), m.hintIndex());
      case Message.VoteRequest m -> Fields.at(m.term(), m.lastTerm(), m.lastIndex());
      case Message.VoteAnswer m -> Fields.of(m.term()).rejecting(m.reject(), 0);
      case Message.InstallSnapshot m -> Fields.of(m.term()).with(m.snapshot());
      case Message.Heartbeat m -> Fields.of(m.term()).committing(m.commit());
      case Message.SnapshotStatus m -> Fields.of(0).rejecting(m.reject(), 0);
      case Message.ReadIndex m -> Fields.of(0).with(List.of(Entry.normal(0, 0, m.context())));
      case Message.ReadIndexResponse m ->
          Fields.at(m.term(), 0, m.index()).with(List.of(Entry.normal(0, 0, m.context())));
      case Message.StorageAppend m ->
          Fields.of(m.hardState().term())
              .committing(m.hardState().commit())
              .voting(m.hardState().vote())
              .with(m.entries())
              .with(m.snapshot())
              .answeredBy(m.responses());
      case Message.StorageAppendResponse m ->
          Fields.at(m.term(), m.lastTerm(), m.lastIndex()).with(m.snapshot());
      case Message.StorageApply m -> Fields.of(0).with(m.entries()).answeredBy(m.responses());
      case Message.StorageApplyResponse m -> Fields.of(0).with(m.entries());
      default -> Fields.of(message.term());
    };
  }

  static String message(Message message) {
    return message(message, "");
  }

  private static String message(Message message, String indent) {
    Fields f = fields(message);
    StringBuilder text = new StringBuilder(indent);
    text.append(target(message.from())).append("->").append(target(message.to()));
    text.append(' ').append(message.type().etcdName()).append(" Term:").append(f.term());
    text.append(" Log:").append(f.logTerm()).append('/').append(f.index());
    if (f.reject()) {
      text.append(" Rejected (Hint: ").append(f.rejectHint()).append(')');
    }
    if (f.commit() != 0) {
      text.append(" Commit:").append(f.commit());
    }
    if (f.vote() != 0) {
      text.append(" Vote:").append(f.vote());
    }
    if (f.entries().size() == 1) {
      text.append(" Entries:[").append(entry(f.entries().get(0))).append(']');
    } else if (!f.entries().isEmpty()) {
      text.append(" Entries:[");
      f.entries().forEach(e -> text.append('\n').append(indent).append("  ").append(entry(e)));
      text.append('\n').append(indent).append(']');
    }
    if (!f.snapshot().isEmpty()) {
      text.append('\n').append(indent).append("  Snapshot: ").append(snapshot(f.snapshot()));
    }
    if (!f.responses().isEmpty()) {
      text.append(" Responses:[");
      f.responses().forEach(r -> text.append('\n').append(message(r, indent + "  ")));
      text.append('\n').append(indent).append(']');
    }
    return text.toString();
  }

  private static String target(long id) {
    return id == 0
        ? "None"
        : id == Message.APPEND_THREAD
            ? "AppendThread"
            : id == Message.APPLY_THREAD ? "ApplyThread" : Long.toHexString(id);
  }

  static String entry(Entry entry) {
    String payload =
        entry.type() == EntryType.NORMAL
            ? Backdoor.quote(entry.data().array())
            : changes(ConfChangeCodec.decode(entry));
    String name =
        switch (entry.type()) {
          case NORMAL -> "EntryNormal";
          case CONF_CHANGE -> "EntryConfChange";
          case CONF_CHANGE_V2 -> "EntryConfChangeV2";
        };
    return entry.term() + "/" + entry.index() + " " + name + (payload.isEmpty() ? "" : " " + payload);
  }

  private static String changes(ConfChange change) {
    return switch (change) {
      case ConfChange.V1 v1 -> single(new ConfChange.Single(v1.type(), v1.nodeId()));
      case ConfChange.V2 v2 -> v2.changes().stream().map(Describe::single).collect(Collectors.joining(" "));
    };
  }

  private static String single(ConfChange.Single single) {
    String kind =
        switch (single.type()) {
          case ADD_NODE -> "v";
          case ADD_LEARNER_NODE -> "l";
          case REMOVE_NODE -> "r";
          case UPDATE_NODE -> "u";
        };
    return kind + Long.toUnsignedString(single.nodeId());
  }

  static String entries(List<Entry> entries) {
    return entries.stream().map(e -> entry(e) + "\n").collect(Collectors.joining());
  }

  static String snapshot(Snapshot snapshot) {
    return "Index:" + snapshot.index() + " Term:" + snapshot.term() + " ConfState:" + confState(snapshot.confState());
  }

  private static String confState(ConfState state) {
    return "Voters:" + ids(state.voters())
        + " VotersOutgoing:" + ids(state.votersOutgoing())
        + " Learners:" + ids(state.learners())
        + " LearnersNext:" + ids(state.learnersNext())
        + " AutoLeave:" + state.autoLeave();
  }

  private static String ids(List<Long> ids) {
    return ids.stream().map(Long::toUnsignedString).collect(Collectors.joining(" ", "[", "]"));
  }

  private static String hardState(HardState state) {
    return "Term:" + state.term() + (state.vote() == 0 ? "" : " Vote:" + state.vote()) + " Commit:" + state.commit();
  }

  static String ready(Ready ready) {
    StringBuilder text = new StringBuilder();
    SoftState soft = ready.softState();
    if (soft != null) {
      text.append("Lead:").append(soft.lead()).append(" State:").append(soft.state().etcdName()).append('\n');
    }
    if (!ready.hardState().isEmpty()) {
      text.append("HardState ").append(hardState(ready.hardState())).append('\n');
    }
    if (!ready.readStates().isEmpty()) {
      text.append("ReadStates ");
      text.append(
          ready.readStates().stream()
              .map(r -> "{" + r.index() + " " + decimals(r.context()) + "}")
              .collect(Collectors.joining(" ", "[", "]\n")));
    }
    if (!ready.entries().isEmpty()) {
      text.append("Entries:\n").append(entries(ready.entries()));
    }
    if (!ready.snapshot().isEmpty()) {
      text.append("Snapshot ").append(snapshot(ready.snapshot())).append('\n');
    }
    if (!ready.committedEntries().isEmpty()) {
      text.append("CommittedEntries:\n").append(entries(ready.committedEntries()));
    }
    if (!ready.messages().isEmpty()) {
      text.append("Messages:\n");
      ready.messages().forEach(m -> text.append(message(m)).append('\n'));
    }
    return text.isEmpty() ? "<empty Ready>" : "Ready MustSync=" + ready.mustSync() + ":\n" + text;
  }

  private static String decimals(Bytes bytes) {
    StringBuilder text = new StringBuilder("[");
    for (int i = 0; i < bytes.size(); i++) {
      text.append(i == 0 ? "" : " ").append(bytes.at(i) & 0xFF);
    }
    return text.append(']').toString();
  }
}
