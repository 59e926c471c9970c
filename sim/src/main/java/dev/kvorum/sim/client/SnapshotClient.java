package dev.kvorum.sim.client;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.etcdserverpb.SnapshotRequest;
import dev.kvorum.api.etcdserverpb.SnapshotResponse;
import dev.kvorum.member.Member;
import dev.kvorum.member.StreamReply;
import dev.kvorum.sim.cluster.Cluster;
import dev.kvorum.sim.cluster.Databases;
import dev.kvorum.sim.cluster.Node;
import dev.kvorum.sim.world.Promise;
import dev.kvorum.sim.world.Scheduler;
import dev.kvorum.sim.world.SimHost;
import dev.kvorum.state.StateMachine;
import dev.kvorum.state.keys.KvHash;
import dev.kvorum.state.keys.KvView;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// Somebody who takes backups: has the database streamed, reads it at a pace of his own, and leaves half-way now and
/// then. What came whole he opens: it must be a database, with all that its member had applied when he asked; the hash of
/// its keys goes to the judges.
public final class SnapshotClient {
  private static final int DIGEST_BYTES = 32;
  private static final String WHOLE = "whole";
  private static final long TIMEOUT_NANOS = 30_000_000_000L;

  private final Cluster cluster;
  private final Scheduler scheduler;
  private final SplittableRandom random;
  private final Memory memory;
  private final Caller caller;

  public SnapshotClient(Cluster cluster, SplittableRandom random, Memory memory) {
    this.cluster = cluster;
    this.scheduler = cluster.scheduler();
    this.random = random;
    this.memory = memory;
    this.caller = new Caller(cluster, random.split(), "backup");
  }

  public void begin() {
    scheduler.spawn(
        null,
        "backup",
        () -> {
          while (!cluster.isHealing()) {
            scheduler.sleep(random.nextLong(4_000_000_000L));
            Node node = cluster.anyUp(random);
            if (node != null) {
              take(node);
            }
          }
        });
  }

  /// One stream: what is on its way, and what has come.
  private final class Stream implements StreamReply<Encoded> {
    final SimHost host;
    final String from;
    final Promise<String> end = new Promise<>(scheduler);
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    /// How many parts may be on their way.
    final int window = 1 + random.nextInt(4);
    final long pauseNanos = random.nextInt(3) == 0 ? 0 : 1_000_000L << random.nextInt(9);
    /// After so many parts the reader leaves.
    final int leavesAfter = random.nextInt(4) == 0 ? random.nextInt(8) : Integer.MAX_VALUE;
    byte[] last = new byte[0];
    long remaining = -1;
    long revisionAsked;
    int onWay;
    int parts;
    long lastArrivalNanos;
    boolean left;
    Runnable ready = () -> {};

    Stream(SimHost host, String from) {
      this.host = host;
      this.from = from;
    }

    @Override
    public void next(Encoded answer) {
      byte[] part = answer.toByteArray();
      onWay++;
      arrive(() -> receive(part));
    }

    /// In the order of sending.
    private void arrive(Runnable action) {
      long at = Math.max(lastArrivalNanos + 1, scheduler.now() + caller.delay());
      lastArrivalNanos = at + (pauseNanos == 0 ? 0 : random.nextLong(pauseNanos));
      scheduler.after(lastArrivalNanos - scheduler.now(), action);
    }

    private void receive(byte[] part) {
      onWay--;
      if (left) {
        return;
      }
      if (parts++ >= leavesAfter) {
        leave("its reader has left");
        return;
      }
      try {
        SnapshotResponse response = SnapshotResponse.parseFrom(part);
        bytes.writeBytes(last);
        last = response.getBlob().toByteArray();
        if (remaining >= 0 && response.getRemainingBytes() > remaining) {
          cluster.found("snapshot", from + " streams on with more to come than before: " + response.getRemainingBytes());
        }
        remaining = response.getRemainingBytes();
      } catch (InvalidProtocolBufferException e) {
        throw new IllegalStateException("a part of a snapshot that is none", e);
      }
      Caller.front(host, () -> ready.run());
    }

    void leave(String why) {
      left = true;
      end.keep(why);
      Caller.front(host, () -> ready.run());
    }

    @Override
    public boolean isReady() {
      return !left && onWay < window;
    }

    @Override
    public boolean isCancelled() {
      return left;
    }

    @Override
    public void onReady(Runnable callback) {
      ready = callback;
    }

    @Override
    public void complete() {
      arrive(() -> end.keep(WHOLE));
    }

    @Override
    public void refuse(EtcdException why) {
      arrive(() -> end.keep("refused: " + why.getMessage()));
    }
  }

  /// @return whether all of it came
  public boolean take(Node node) {
    Member member = node.member();
    SimHost host = node.host();
    if (member == null || host == null) {
      return false;
    }
    Stream stream = new Stream(host, node.name());
    scheduler.after(
        caller.delay(),
        () ->
            Caller.front(
                host,
                () -> {
                  stream.revisionAsked = member.currentRevision();
                  member.maintenance().snapshot(
                      SnapshotRequest.getDefaultInstance(),
                      new dev.kvorum.member.Caller(null, null, "backup", task -> Caller.front(host, task)),
                      stream);
                }));
    String ended = stream.end.await(TIMEOUT_NANOS);
    if (ended == null) {
      ended = "nothing more comes";
      stream.leave(ended);
    }
    scheduler.trace().event(scheduler.now(), "backup", host.name() + " " + ended, stream.bytes.size(), stream.parts);
    if (ended.equals(WHOLE)) {
      judge(stream);
    }
    return ended.equals(WHOLE);
  }

  private void judge(Stream stream) {
    byte[] database = stream.bytes.toByteArray();
    if (stream.remaining != 0 || stream.last.length != DIGEST_BYTES || !Arrays.equals(stream.last, digest(database))) {
      cluster.found("snapshot", stream.from + " ends a stream of " + database.length + " bytes without their digest");
      return;
    }
    Memory.KeyHash hash = open(stream.from, database);
    if (hash != null) {
      scheduler.trace().event(scheduler.now(), "backup", hash);
      if (hash.revision() < stream.revisionAsked) {
        cluster.found("snapshot", hash + " lacks what was applied when it was asked for, at " + stream.revisionAsked);
      }
      memory.hashes().add(hash);
    }
  }

  private Memory.@Nullable KeyHash open(String from, byte[] database) {
    try (StateMachine state = Databases.open(database); KvView view = state.view()) {
      cluster.states().holds("a snapshot of " + from, database);
      state.checkInvariants();
      KvHash hash = view.hashByRevision(0);
      return new Memory.KeyHash("a snapshot of " + from, hash.revision(), hash.compactRevision(), hash.hash());
    } catch (IOException | RuntimeException e) {
      cluster.found("snapshot", "what " + from + " streamed does not open: " + stackOf(e));
      return null;
    }
  }

  private static String stackOf(Throwable e) {
    java.io.StringWriter text = new java.io.StringWriter();
    e.printStackTrace(new java.io.PrintWriter(text));
    return text.toString();
  }

  private static byte[] digest(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java platform has it
    }
  }
}
