package dev.kvorum.server.grpc;

import dev.kvorum.api.Encoded;
import dev.kvorum.api.EtcdException;
import dev.kvorum.api.GrpcCode;
import dev.kvorum.api.etcdserverpb.*;
import dev.kvorum.member.Member;
import dev.kvorum.member.MemoryBudget;
import dev.kvorum.state.RequestCodec;
import io.grpc.HandlerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Every method of the client port, on one page: what is served, what a later release brings, and how the rest is
/// refused.
public final class GrpcFront extends HandlerRegistry {
  /// Room for a request's framing above `--max-request-bytes`, as in etcd.
  public static final int REQUEST_OVERHEAD_BYTES = 512 * 1024;

  private final Map<String, ServerMethodDefinition<byte[], ?>> methods = new HashMap<>();
  private final Set<String> services = new TreeSet<>();
  private final Gate gate;
  private final MemoryBudget memory;
  private final int requestBytesMax;

  /// @param stallNanos how long a large answer waits for a client that does not read
  public GrpcFront(Member member, int maxRequestBytes, RpcObserver observer, long stallNanos) {
    this.gate = new Gate(member::hasLeader, observer, new OpenStreams(), stallNanos);
    this.memory = member.memory();
    this.requestBytesMax = maxRequestBytes + REQUEST_OVERHEAD_BYTES;
    serveKeys(member);
    serveLeases(member);
    serveMaintenance(member);
    serveHealth();
    comesLater();
  }

  private void serveKeys(Member member) {
    var kv = member.kv();
    unary(KVGrpc.getRangeMethod(), RequestCodec::decodeRange, kv::range);
    stream(KVGrpc.getRangeStreamMethod(), RequestCodec::decodeRange, kv::rangeStream);
    unary(KVGrpc.getPutMethod(), RequestCodec::decodePut, kv::put);
    unary(KVGrpc.getDeleteRangeMethod(), RequestCodec::decodeDeleteRange, kv::deleteRange);
    unary(KVGrpc.getTxnMethod(), RequestCodec::decodeTxn, kv::txn);
    unary(KVGrpc.getCompactMethod(), CompactionRequest::parseFrom, kv::compact);
    add(WatchGrpc.getWatchMethod(), new WatchEndpoint(parser(WatchRequest::parseFrom), gate, member.watches()));
  }

  private void serveLeases(Member member) {
    var leases = member.leases();
    unary(LeaseGrpc.getLeaseGrantMethod(), LeaseGrantRequest::parseFrom, leases::grant);
    unary(LeaseGrpc.getLeaseRevokeMethod(), LeaseRevokeRequest::parseFrom, leases::revoke);
    add(
        LeaseGrpc.getLeaseKeepAliveMethod(),
        new KeepAliveEndpoint(parser(LeaseKeepAliveRequest::parseFrom), gate, leases::keepAlive));
    unary(LeaseGrpc.getLeaseTimeToLiveMethod(), LeaseTimeToLiveRequest::parseFrom, leases::timeToLive);
    unary(LeaseGrpc.getLeaseLeasesMethod(), LeaseLeasesRequest::parseFrom, leases::list);
  }

  private void serveMaintenance(Member member) {
    var maintenance = member.maintenance();
    unary(MaintenanceGrpc.getAlarmMethod(), AlarmRequest::parseFrom, maintenance::alarm);
    unary(MaintenanceGrpc.getStatusMethod(), StatusRequest::parseFrom, maintenance::status);
    unary(MaintenanceGrpc.getDefragmentMethod(), DefragmentRequest::parseFrom, maintenance::defragment);
    unary(MaintenanceGrpc.getHashMethod(), HashRequest::parseFrom, maintenance::hash);
    unary(MaintenanceGrpc.getHashKVMethod(), HashKVRequest::parseFrom, maintenance::hashKv);
    stream(MaintenanceGrpc.getSnapshotMethod(), SnapshotRequest::parseFrom, maintenance::snapshot);
    unary(ClusterGrpc.getMemberListMethod(), MemberListRequest::parseFrom, member.cluster()::memberList);
  }

  private void serveHealth() {
    unary(HealthGrpc.getCheckMethod(), HealthCheckRequest::parseFrom, HealthEndpoint::check);
    stream(HealthGrpc.getWatchMethod(), HealthCheckRequest::parseFrom, HealthEndpoint::watch);
  }

  /// Methods of etcd's API that this release does not serve yet; README lists them under *Status*.
  private void comesLater() {
    later(ClusterGrpc.getServiceDescriptor());
    later(MaintenanceGrpc.getServiceDescriptor());
    later(AuthGrpc.getServiceDescriptor());
    later(dev.kvorum.api.v3lockpb.LockGrpc.getServiceDescriptor());
    later(dev.kvorum.api.v3electionpb.ElectionGrpc.getServiceDescriptor());
  }

  private void later(io.grpc.ServiceDescriptor service) {
    for (MethodDescriptor<?, ?> method : service.getMethods()) {
      if (!methods.containsKey(method.getFullMethodName())) {
        String text = method.getBareMethodName() + " is not available in this release of Kvorum";
        add(method, refusing(EtcdException.of(GrpcCode.UNIMPLEMENTED, text)));
      }
    }
  }

  private <Q> void unary(
      MethodDescriptor<?, ?> method, RequestParser.Parse<Q> parse, UnaryHandler.Unary<Q> handler) {
    add(method, RpcMethod.unary(method), new UnaryHandler<>(parser(parse), gate, handler));
  }

  private <Q> void stream(
      MethodDescriptor<?, ?> method, RequestParser.Parse<Q> parse, ServerStreamHandler.Streaming<Q> handler) {
    add(method, new ServerStreamHandler<>(parser(parse), gate, handler));
  }

  private <Q> RequestParser<Q> parser(RequestParser.Parse<Q> parse) {
    return new RequestParser<>(parse, requestBytesMax);
  }

  private void add(MethodDescriptor<?, ?> method, ServerCallHandler<byte[], Encoded> handler) {
    add(method, RpcMethod.of(method), handler);
  }

  private <R> void add(
      MethodDescriptor<?, ?> method, MethodDescriptor<byte[], R> ours, ServerCallHandler<byte[], R> handler) {
    services.add(String.valueOf(method.getServiceName()));
    methods.put(method.getFullMethodName(), ServerMethodDefinition.create(ours, handler));
  }

  /// What calls are booked in.
  MemoryBudget memory() {
    return memory;
  }

  private ServerCallHandler<byte[], Encoded> refusing(EtcdException why) {
    return (call, headers) -> {
      RpcObserver.CallObserver observer = gate.started(call, headers);
      call.close(Statuses.of(why), new Metadata());
      observer.ended(why.code().number());
      return new ServerCall.Listener<>() {};
    };
  }

  /// Ends every stream with `Unavailable`, which sends clients to another member or back here later.
  void endStreams() {
    gate.streams().endAll();
  }

  /// Unknown names are refused in Go's words.
  @Override
  public ServerMethodDefinition<?, ?> lookupMethod(String fullName, @Nullable String authority) {
    ServerMethodDefinition<?, ?> known = methods.get(fullName);
    if (known != null) {
      return known;
    }
    int slash = fullName.lastIndexOf('/');
    String service = slash < 0 ? fullName : fullName.substring(0, slash);
    String method = fullName.substring(slash + 1);
    EtcdException why =
        services.contains(service)
            ? EtcdException.unknownMethod(service, method)
            : EtcdException.unknownService(service);
    return ServerMethodDefinition.create(
        RpcMethod.of(fullName, MethodDescriptor.MethodType.UNKNOWN), refusing(why));
  }
}
