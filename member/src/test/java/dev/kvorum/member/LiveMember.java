package dev.kvorum.member;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.etcdserverpb.AlarmRequest;
import dev.kvorum.api.etcdserverpb.AlarmResponse;
import dev.kvorum.api.etcdserverpb.CompactionRequest;
import dev.kvorum.api.etcdserverpb.LeaseGrantRequest;
import dev.kvorum.api.etcdserverpb.LeaseGrantResponse;
import dev.kvorum.api.etcdserverpb.LeaseLeasesRequest;
import dev.kvorum.api.etcdserverpb.LeaseLeasesResponse;
import dev.kvorum.api.etcdserverpb.PutResponse;
import dev.kvorum.api.etcdserverpb.RangeResponse;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.Disk;
import dev.kvorum.env.RealDisk;
import dev.kvorum.env.RealWorld;
import dev.kvorum.env.World;
import dev.kvorum.member.peer.PeerLinks;
import dev.kvorum.state.Request;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A member under test, on a real directory, without sockets.
final class LiveMember implements AutoCloseable {
  static final long DEADLINE_SECONDS = 30;

  final Member member;
  final LinkedBlockingQueue<Throwable> halts;

  private LiveMember(Member member, LinkedBlockingQueue<Throwable> halts) {
    this.member = member;
    this.halts = halts;
  }

  static LiveMember start(Path directory) throws Exception {
    return start(config(directory, Map.of()), new RealDisk());
  }

  /// Starts it and waits until it serves.
  static LiveMember start(MemberConfig config, Disk disk) throws Exception {
    return start(config, disk, PeerLinks.NONE, null);
  }

  static LiveMember start(MemberConfig config, Disk disk, PeerLinks links, @Nullable RemoteCluster remote)
      throws Exception {
    World real = RealWorld.create(2);
    CountDownLatch ready = new CountDownLatch(1);
    LinkedBlockingQueue<Throwable> halts = new LinkedBlockingQueue<>();
    Member started =
        Member.start(
            new World(real.clock(), disk, real.loops(), real.random()),
            config,
            links,
            remote,
            new Member.Observer() {
              @Override
              public void ready() {
                ready.countDown();
              }

              @Override
              public void halted(String what, Throwable cause) {
                halts.add(cause);
              }
            });
    boolean serves = ready.await(DEADLINE_SECONDS, TimeUnit.SECONDS);
    assertThat(serves).as("ready; halted by %s", halts).isTrue();
    return new LiveMember(started, halts);
  }

  /// The usual configuration with quick ticks, and `changes` by the name of the component.
  static MemberConfig config(Path directory, Map<String, Object> changes) {
    MemberConfig usual = MemberTest.config(directory);
    RecordComponent[] components = MemberConfig.class.getRecordComponents();
    Object[] values = new Object[components.length];
    Class<?>[] types = new Class<?>[components.length];
    try {
      for (int i = 0; i < components.length; i++) {
        types[i] = components[i].getType();
        String name = components[i].getName();
        Object quick = name.equals("tickNanos") ? TimeUnit.MILLISECONDS.toNanos(10) : null;
        Object value = changes.getOrDefault(name, quick);
        values[i] = value == null ? components[i].getAccessor().invoke(usual) : value;
      }
      return MemberConfig.class.getDeclaredConstructor(types).newInstance(values);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() throws IOException, InterruptedException {
    member.stop(TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS));
  }

  // ---- Calls ----

  /// Makes a call, and hands out its answer to come.
  static CompletableFuture<byte[]> call(Consumer<Reply<Encoded>> call) {
    CompletableFuture<byte[]> answer = new CompletableFuture<>();
    call.accept(
        new Reply<>() {
          @Override
          public void complete(Encoded encoded) {
            answer.complete(encoded.toByteArray());
          }

          @Override
          public void refuse(EtcdException why) {
            answer.completeExceptionally(why);
          }
        });
    return answer;
  }

  /// @throws EtcdException when it is refused
  static byte[] await(CompletableFuture<byte[]> answer) throws InterruptedException {
    try {
      return answer.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw (EtcdException) e.getCause();
    } catch (TimeoutException e) {
      throw new AssertionError("no answer in time", e);
    }
  }

  CompletableFuture<byte[]> putSoon(String key, String value) {
    Request.Put put = Request.Put.of(Bytes.utf8(key), Bytes.utf8(value));
    return call(reply -> member.kv().put(put, Caller.LOCAL, reply));
  }

  /// @return the revision
  long put(String key, String value) throws Exception {
    return PutResponse.parseFrom(await(putSoon(key, value))).getHeader().getRevision();
  }

  long put(String key, String value, long lease) throws Exception {
    Request.Put put = new Request.Put(Bytes.utf8(key), Bytes.utf8(value), lease, false, false, false);
    return PutResponse.parseFrom(await(call(reply -> member.kv().put(put, Caller.LOCAL, reply))))
        .getHeader()
        .getRevision();
  }

  void delete(String key) throws Exception {
    Request.DeleteRange delete = Request.DeleteRange.of(Bytes.utf8(key), Bytes.EMPTY);
    await(call(reply -> member.kv().deleteRange(delete, Caller.LOCAL, reply)));
  }

  RangeResponse all() throws Exception {
    return all(0);
  }

  /// Every key, at `revision`.
  RangeResponse all(long revision) throws Exception {
    Bytes zero = Bytes.wrap(new byte[1]);
    return RangeResponse.parseFrom(
        await(call(reply -> member.kv().range(Request.Range.at(zero, zero, revision), Caller.LOCAL, reply))));
  }

  void compact(long revision, boolean physical) throws Exception {
    CompactionRequest request =
        CompactionRequest.newBuilder().setRevision(revision).setPhysical(physical).build();
    await(call(reply -> member.kv().compact(request, Caller.LOCAL, reply)));
  }

  LeaseGrantResponse grant(long id, long ttl) throws Exception {
    LeaseGrantRequest request = LeaseGrantRequest.newBuilder().setID(id).setTTL(ttl).build();
    return LeaseGrantResponse.parseFrom(await(call(reply -> member.leases().grant(request, Caller.LOCAL, reply))));
  }

  LeaseLeasesResponse leases() throws Exception {
    LeaseLeasesRequest request = LeaseLeasesRequest.getDefaultInstance();
    return LeaseLeasesResponse.parseFrom(await(call(reply -> member.leases().list(request, Caller.LOCAL, reply))));
  }

  AlarmResponse alarm(AlarmRequest request) throws Exception {
    return AlarmResponse.parseFrom(
        await(call(reply -> member.maintenance().alarm(request, Caller.LOCAL, reply))));
  }

  static ByteString bytes(String text) {
    return ByteString.copyFromUtf8(text);
  }
}
