package dev.kvorum.bench;

import dev.kvorum.api.etcdserverpb.LeaseGrantRequest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/// Sets the clients of a row going on a loop, and writes the keys they will read.
final class Load {
  private static final int KEYS_OF_RANGE_MANY = 1_000;
  private static final int PUTS_IN_FLIGHT_OF_WATCH = 64;
  private static final long LEASE_TTL_SECONDS = 3_600;
  private static final long POPULATE_SECONDS_MAX = 300;
  private static final long WAIT_NANOS_MAX = 60_000_000_000L;
  private static final String LEASE_GRANT = "/etcdserverpb.Lease/LeaseGrant";

  private final Options options;
  private final SplittableRandom random = new SplittableRandom(1);

  Load(Options options) {
    this.options = options;
  }

  /// Writes every key once.
  void populate(int port) throws IOException {
    Template put = Template.put(options.valueBytes());
    Batch.run(
        port,
        10,
        10,
        Math.max(options.keys(), KEYS_OF_RANGE_MANY),
        POPULATE_SECONDS_MAX,
        index -> {
          put.setKey(index);
          return put;
        });
  }

  /// Puts at random keys for a while, as hard as 1,000 clients can.
  void burst(int port, long nanos) throws IOException {
    Template put = Template.put(options.valueBytes());
    Meter meter = new Meter();
    try (LoadLoop loop = new LoadLoop(port)) {
      startCalls(loop, 100, 10, atRandomKey(put), meter);
      loop.run(nanos, () -> meter.errors() > 0);
    }
    if (meter.errors() > 0) {
      throw new IOException("a put of the preparation failed: " + meter.firstError());
    }
  }

  /// Starts the clients of `row`; what they do is metered by `meter`.
  void start(LoadLoop loop, Row row, Meter meter) throws IOException {
    switch (row.kind()) {
      case WATCH -> startWatch(loop, row, meter);
      case LEASE_KEEPALIVE -> startKeepAlive(loop, row, meter);
      default -> startCalls(loop, row.conns(), row.inflight(), requests(row), meter);
    }
  }

  private static void startCalls(
      LoadLoop loop, int conns, int inflight, Supplier<Template> requests, Meter meter) throws IOException {
    for (int i = 0; i < conns; i++) {
      Http2Connection connection = loop.connect();
      for (int j = 0; j < inflight; j++) {
        new UnaryCall(connection, requests, meter).start();
      }
    }
  }

  private Supplier<Template> requests(Row row) {
    Template put = Template.put(options.valueBytes());
    Template txn = Template.txn(options.valueBytes());
    Template range = Template.range(row.isSerializable());
    return switch (row.kind()) {
      case PUT -> atRandomKey(put);
      case TXN -> atRandomKey(txn);
      case RANGE -> atRandomKey(range);
      case RANGE_MANY -> {
        Template many = Template.rangeMany(KEYS_OF_RANGE_MANY, row.isSerializable());
        yield () -> many;
      }
      case MIXED -> mix(range, put, txn);
      case WATCH, LEASE_KEEPALIVE -> throw new IllegalArgumentException(row.kind() + " is not made of plain calls");
    };
  }

  private Supplier<Template> atRandomKey(Template template) {
    return () -> {
      template.setKey(random.nextInt(options.keys()));
      return template;
    };
  }

  /// Six reads, three puts and a txn of every ten.
  private Supplier<Template> mix(Template range, Template put, Template txn) {
    return () -> {
      int die = random.nextInt(10);
      Template template = die < 6 ? range : die < 9 ? put : txn;
      template.setKey(random.nextInt(options.keys()));
      return template;
    };
  }

  /// `conns` times `inflight` watchers of one key, and 64 puts in flight on a connection of their own.
  private void startWatch(LoadLoop loop, Row row, Meter meter) throws IOException {
    List<WatchCall> watchers = new ArrayList<>();
    for (int i = 0; i < row.conns(); i++) {
      Http2Connection connection = loop.connect();
      for (int j = 0; j < row.inflight(); j++) {
        WatchCall watcher = new WatchCall(meter);
        watcher.start(connection);
        watchers.add(watcher);
      }
    }
    if (!loop.run(WAIT_NANOS_MAX, () -> meter.errors() > 0 || watchers.stream().allMatch(WatchCall::isCreated))) {
      throw new IOException("not every watcher was created within 60 s");
    }
    if (meter.errors() > 0) {
      throw new IOException("a watcher was not created: " + meter.firstError());
    }
    Template put = Template.put(options.valueBytes());
    put.setKey(0);
    startCalls(loop, 1, PUTS_IN_FLIGHT_OF_WATCH, () -> put, meter.errorsOnly());
  }

  private void startKeepAlive(LoadLoop loop, Row row, Meter meter) throws IOException {
    for (int i = 0; i < row.conns(); i++) {
      Http2Connection connection = loop.connect();
      for (int j = 0; j < row.inflight(); j++) {
        long id = random.nextLong(1, Long.MAX_VALUE);
        LeaseGrantRequest grant = LeaseGrantRequest.newBuilder().setID(id).setTTL(LEASE_TTL_SECONDS).build();
        loop.call(connection, LEASE_GRANT, grant.toByteArray());
        new KeepAliveCall(connection, id, meter).start();
      }
    }
  }
}
