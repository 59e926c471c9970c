package dev.kvorum.sim.client;

import dev.kvorum.api.EtcdError;
import dev.kvorum.api.etcdserverpb.CompactionRequest;
import dev.kvorum.api.etcdserverpb.LeaseGrantRequest;
import dev.kvorum.api.etcdserverpb.LeaseRevokeRequest;
import dev.kvorum.env.Bytes;
import dev.kvorum.sim.cluster.Cluster;
import dev.kvorum.sim.cluster.Node;
import dev.kvorum.sim.model.Answer;
import dev.kvorum.sim.model.Operation;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.state.Request;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// A client that reads and writes keys, one request after another, of any member, and remembers every answer.
public final class KvClient {
  /// The longest pause between two requests in act two.
  private static final long HURRIED_NANOS = 500_000_000;
  /// The most requests there.
  private static final int HURRIED_REQUESTS_MAX = 60;

  private final Cluster cluster;
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final Memory memory;
  private final Requests requests;
  private final Caller caller;
  private final int number;
  private final String name;
  private @Nullable Node favourite;
  private boolean done;

  public KvClient(Cluster cluster, SplittableRandom random, Memory memory, Requests requests, int number) {
    this.cluster = cluster;
    this.scheduler = cluster.scheduler();
    this.random = random;
    this.memory = memory;
    this.requests = requests;
    this.number = number;
    this.name = "client" + number;
    this.caller = new Caller(cluster, random.split(), name);
  }

  public boolean isDone() {
    return done;
  }

  /// Makes `count` requests, with pauses that fill about `withinNanos`.
  public void begin(int count, long withinNanos) {
    scheduler.spawn(
        null,
        name,
        () -> {
          long pause = withinNanos / count;
          int hurried = 0;
          for (int i = 0; i < count && hurried < HURRIED_REQUESTS_MAX; i++) {
            hurried += cluster.isHealing() ? 1 : 0;
            long wait = random.nextInt(4) == 0 ? random.nextLong(4 * pause + 1) : random.nextLong(pause + 1);
            scheduler.sleep(cluster.isHealing() ? Math.min(wait, HURRIED_NANOS) : wait);
            ask(requests.next(random, number, memory.newestRevision()), 500_000_000L << random.nextInt(5));
          }
          done = true;
        });
  }

  /// Asks until somebody answers. @return null when nobody did in time
  public @Nullable Answer insist(Request request, @Nullable Node node, long withinNanos) {
    long deadline = scheduler.now() + withinNanos;
    while (scheduler.now() < deadline) {
      favourite = node;
      Answer answer = ask(request, 5_000_000_000L);
      if (answer != null) {
        return answer;
      }
      scheduler.sleep(200_000_000);
    }
    return null;
  }

  private @Nullable Node node() {
    Node known = favourite;
    if (known == null || known.member() == null || random.nextInt(8) == 0) {
      known = cluster.anyUp(random);
      favourite = known;
    }
    return known;
  }

  /// Asks once. @return null when no answer came that says anything
  private @Nullable Answer ask(Request request, long timeoutNanos) {
    Node node = node();
    if (node == null) {
      return null;
    }
    long asked = scheduler.now();
    long newest = cluster.logs().newestRevision();
    long ticket = memory.ask(number, request, asked);
    Heard heard = caller.ask(node, timeoutNanos, (member, from, reply) -> {
      switch (request) {
        case Request.Put put -> member.kv().put(put, from, reply);
        case Request.Range range -> member.kv().range(range, from, reply);
        case Request.DeleteRange delete -> member.kv().deleteRange(delete, from, reply);
        case Request.Txn txn -> member.kv().txn(txn, from, reply);
        case Request.Compact compact ->
            member.kv().compact(
                CompactionRequest.newBuilder().setRevision(compact.revision()).setPhysical(compact.physical()).build(),
                from,
                reply);
        case Request.LeaseGrant grant ->
            member.leases().grant(LeaseGrantRequest.newBuilder().setID(grant.id()).setTTL(grant.ttl()).build(), from, reply);
        case Request.LeaseRevoke revoke ->
            member.leases().revoke(LeaseRevokeRequest.newBuilder().setID(revoke.id()).build(), from, reply);
        default -> throw new IllegalArgumentException("no client asks " + request);
      }
    });
    memory.settle(ticket);
    Operation operation = remember(request, asked, heard);
    if (operation != null) {
      judgeCurrent(operation, newest);
      scheduler.trace().event(scheduler.now(), name, node.name() + " " + operation);
      return operation.answer();
    }
    scheduler.trace().event(scheduler.now(), name, node.name() + " nothing of " + request.getClass().getSimpleName());
    favourite = null;
    return null;
  }

  /// Linearizability asks for less, namely for what somebody was told; but this shows sooner that an answer is stale.
  private void judgeCurrent(Operation operation, long newest) {
    Answer answer = operation.answer();
    boolean stale = answer != null && !(answer instanceof Answer.Refused) && answer.revision() < newest;
    if (stale && !Requests.isSerializable(operation.request())) {
      cluster.found("answers are current", operation + "\n    but revision " + newest + " was there when it was asked");
    }
  }

  private @Nullable Operation remember(Request request, long asked, Heard heard) {
    Answer answer;
    switch (heard) {
      case Heard.Answered answered -> answer = Answer.decode(request, answered.bytes());
      case Heard.Refused refused -> {
        EtcdError error = refused.why().error();
        if (error == EtcdError.NO_SPACE && !(cluster.scenario().extras().hasQuota() && takesSpace(request))) {
          cluster.found("quota", request + " is refused for space, of which there is enough");
        }
        if (error == null || !saysSomething(error)) {
          // that there is no space does not say either: what goes past the quota is carried out and refused all the same
          if (error == EtcdError.TOO_MANY_REQUESTS || error == EtcdError.DUPLICATE_KEY) {
            return null;
          }
          answer = null;
        } else {
          answer = new Answer.Refused(error);
        }
      }
      case Heard.NotAsked _ -> {
        return null;
      }
      case Heard.Nothing _ -> answer = null;
    }
    if (answer == null && Memory.isRead(request)) {
      return null;
    }
    Operation operation =
        answer == null
            ? Operation.unknown(number, request, asked)
            : new Operation(number, request, asked, scheduler.now(), answer);
    memory.remember(operation, Requests.isSerializable(request));
    return operation;
  }

  private static boolean takesSpace(Request request) {
    return switch (request) {
      case Request.Put _, Request.LeaseGrant _ -> true;
      case Request.Txn txn -> !txn.readOnly();
      default -> false;
    };
  }

  /// Refusals that say something of the state.
  private static boolean saysSomething(EtcdError error) {
    return switch (error) {
      case LEASE_NOT_FOUND, LEASE_EXIST, KEY_NOT_FOUND, COMPACTED, FUTURE_REV -> true;
      default -> false;
    };
  }

  /// Every key there is, linearizably: what act two ends with.
  public static Request everything() {
    return Request.Range.of(Bytes.wrap(new byte[] {0}), Bytes.wrap(new byte[] {0}));
  }
}
