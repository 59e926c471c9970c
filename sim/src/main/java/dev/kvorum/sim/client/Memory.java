package dev.kvorum.sim.client;

import dev.kvorum.sim.model.Answer;
import dev.kvorum.sim.model.Operation;
import dev.kvorum.state.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// All that the clients of one run have heard.
public final class Memory {
  private final List<Operation> operations = new ArrayList<>();
  private final List<Operation> serializable = new ArrayList<>();
  private final List<KeyHash> hashes = new ArrayList<>();
  private final List<Watching> watches = new ArrayList<>();
  private final List<Leasing> leases = new ArrayList<>();
  private final Map<Long, Operation> underWay = new TreeMap<>();
  private long tickets;

  /// One answer to HashKV.
  public record KeyHash(String member, long revision, long compactRevision, int hash) {}

  /// What must be linearizable.
  public List<Operation> operations() {
    return operations;
  }

  /// The same, with what is under way as the story ends: that, too, may have happened.
  public List<Operation> operationsAtTheEnd() {
    List<Operation> all = new ArrayList<>(operations);
    all.addAll(underWay.values());
    return all;
  }

  /// A request is on its way. @return what to [#settle] it by
  long ask(int client, Request request, long nowNanos) {
    long ticket = tickets++;
    if (!isRead(request)) {
      underWay.put(ticket, Operation.unknown(client, request, nowNanos));
    }
    return ticket;
  }

  /// It is known what there is to remember of it.
  void settle(long ticket) {
    underWay.remove(ticket);
  }

  /// Reads that asked for any past state.
  public List<Operation> serializable() {
    return serializable;
  }

  public List<KeyHash> hashes() {
    return hashes;
  }

  public List<Watching> watches() {
    return watches;
  }

  public List<Leasing> leases() {
    return leases;
  }

  /// The newest revision that anybody was told of.
  public long newestRevision() {
    long newest = 1;
    for (Operation operation : operations) {
      Answer answer = operation.answer();
      if (answer != null) {
        newest = Math.max(newest, answer.revision());
      }
    }
    return newest;
  }

  void remember(Operation operation, boolean isSerializable) {
    (isSerializable ? serializable : operations).add(operation);
  }

  /// Whether `request` changes nothing, so that without an answer there is nothing to remember.
  static boolean isRead(Request request) {
    return request instanceof Request.Range || request instanceof Request.Txn txn && txn.readOnly();
  }
}
