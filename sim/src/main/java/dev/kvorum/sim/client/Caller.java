package dev.kvorum.sim.client;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.member.Member;
import dev.kvorum.member.Reply;
import dev.kvorum.sim.cluster.Cluster;
import dev.kvorum.sim.cluster.Node;
import dev.kvorum.sim.world.Promise;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.SimHost;
import java.util.SplittableRandom;

/// One client's way to the members. Questions and answers take time and may be lost.
final class Caller {
  private final Cluster cluster;
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final String name;

  /// A question, put to a running member.
  interface Question {
    void ask(Member member, dev.kvorum.member.Caller caller, Reply<Encoded> reply);
  }

  Caller(Cluster cluster, SplittableRandom random, String name) {
    this.cluster = cluster;
    this.scheduler = cluster.scheduler();
    this.random = random;
    this.name = name;
  }

  Scheduler scheduler() {
    return scheduler;
  }

  long delay() {
    return 20_000 + random.nextLong(400_000);
  }

  private boolean isLost() {
    return !cluster.isHealing() && random.nextInt(200) == 0;
  }

  /// Asks `node`, and waits on the running strand.
  Heard ask(Node node, long timeoutNanos, Question question) {
    Promise<Heard> heard = new Promise<>(scheduler);
    if (!isLost()) {
      scheduler.after(delay(), () -> arrive(node, question, heard));
    }
    Heard came = heard.await(timeoutNanos);
    return came == null ? Heard.NOTHING : came;
  }

  private void arrive(Node node, Question question, Promise<Heard> heard) {
    Member member = node.member();
    SimHost host = node.host();
    if (member == null || host == null) {
      scheduler.after(delay(), () -> heard.keep(Heard.NOT_ASKED));
      return;
    }
    front(
        host,
        () ->
            question.ask(
                member,
                new dev.kvorum.member.Caller(null, null, name, task -> front(host, task)),
                new Reply<>() {
                  @Override
                  public void complete(Encoded answer) {
                    back(new Heard.Answered(answer.toByteArray()), heard);
                  }

                  @Override
                  public void refuse(EtcdException why) {
                    back(new Heard.Refused(why), heard);
                  }
                }));
  }

  /// What the front's threads are in a real member.
  static void front(SimHost host, Runnable task) {
    if (host.isAlive()) {
      host.scheduler().spawn(host, host.name() + "/front", task);
    }
  }

  private void back(Heard what, Promise<Heard> heard) {
    if (!isLost()) {
      scheduler.after(delay(), () -> heard.keep(what));
    }
  }
}
