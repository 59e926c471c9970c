package dev.kvorum.bench;

import dev.kvorum.api.etcdserverpb.CompactionRequest;
import dev.kvorum.api.etcdserverpb.DefragmentRequest;
import dev.kvorum.api.etcdserverpb.RangeRequest;
import dev.kvorum.api.etcdserverpb.RangeResponse;
import dev.kvorum.api.etcdserverpb.SnapshotRequest;
import java.io.IOException;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/// One round of `million` on one server: fill it, start it anew, read from it, then let it do its housekeeping while
/// puts go on at a steady rate.
///
/// Half of the namespaces are deleted on the way; the steady puts go to the other half throughout.
final class MillionRound {
  private static final int RANGE_KEYS = 1_000;
  private static final int LISTS = 3;
  private static final int BEHIND = 500_000;
  private static final int DELETED_AT_ONCE = 100;
  private static final int PUT_CONNS = 10;
  private static final int WARM_UP_SECONDS = 3;
  private static final long WORK_NANOS_MAX = 900_000_000_000L;
  private static final int WORK_SECONDS_MAX = 900;
  /// A server that reads all of the past for each batch of it needs far longer; it is not waited for.
  private static final long CATCH_UP_NANOS_MAX = 120_000_000_000L;
  /// Of a key and its value in an answer, beside the two themselves; generous.
  private static final int KEY_VALUE_EXTRA_BYTES = 32;

  private static final Keys KEYS = Keys.REGISTRY;

  private final Million.Options options;
  private final ServerProcess server;
  private final Figures figures;
  private final SplittableRandom random = new SplittableRandom(3);
  private double cpuBeforeRestart;

  MillionRound(Million.Options options, ServerProcess server, Figures figures) {
    this.options = options;
    this.server = server;
    this.figures = figures;
  }

  void run() throws IOException, InterruptedException {
    double busy = ProcStat.machineBusySeconds() - ProcStat.cpuSeconds(ProcessHandle.current().pid());
    long begun = System.nanoTime();
    fillAndRestart();
    if (options.parts().contains(Million.Part.READS)) {
      read();
    }
    if (options.parts().contains(Million.Part.DURING)) {
      work();
    }
    resident("at the end");
    figures.add("resident, peak since the restart", "MB", server.peakResidentBytes() / 1e6);
    busy = ProcStat.machineBusySeconds() - ProcStat.cpuSeconds(ProcessHandle.current().pid()) - busy;
    double others = busy - cpuBeforeRestart - server.cpuSeconds();
    figures.add("others' share of a processor meanwhile", "%", Math.max(0, others) / millisSince(begun) * 1e5);
  }

  private void fillAndRestart() throws IOException, InterruptedException {
    server.start();
    figures.add("start, empty", "s", server.readySeconds());
    double cpu = server.cpuSeconds();
    figures.add("load", "s", putEveryKey());
    figures.add("load, server CPU", "s", server.cpuSeconds() - cpu);
    resident("after load");
    Thread.sleep(options.idleSeconds() * 1_000L);
    resident("after idling " + options.idleSeconds() + " s");
    figures.add("file after load", "MB", server.dbBytes() / 1e6);
    cpuBeforeRestart = server.cpuSeconds();
    server.stop();
    figures.add("SIGTERM to exit", "s", server.stopSeconds());
    server.start();
    figures.add("restart, to healthy", "s", server.readySeconds());
    figures.add("restart, server CPU", "s", server.cpuSeconds());
    long begun = System.nanoTime();
    Template span = Template.span(KEYS);
    atRandomSpan(span);
    RangeResponse answer = ask(Arrays.copyOfRange(span.frame(), 5, span.frame().length));
    figures.add("restart, first range of 1,000", "ms", millisSince(begun));
    if (answer.getKvsCount() != RANGE_KEYS) {
      throw new IOException("a range of " + RANGE_KEYS + " keys gave " + answer.getKvsCount());
    }
    resident("after restart");
  }

  /// Both servers map their file, whose pages are resident, too, but not theirs to give back.
  private void resident(String when) throws IOException {
    figures.add("resident " + when, "MB", server.residentBytes() / 1e6);
    figures.add("resident " + when + ", without the mapped file", "MB", server.anonymousBytes() / 1e6);
  }

  /// Seconds it took.
  private double putEveryKey() throws IOException {
    Template put = Template.put(KEYS, options.valueBytes());
    long begun = System.nanoTime();
    Batch.run(
        server.port(),
        20,
        25,
        options.keys(),
        WORK_SECONDS_MAX,
        index -> {
          put.setKey(index);
          return put;
        });
    return millisSince(begun) / 1e3;
  }

  private RangeResponse ask(byte[] request) throws IOException {
    try (LoadLoop loop = new LoadLoop(server.port())) {
      return RangeResponse.parseFrom(loop.call(loop.connect(), Template.RANGE, request, WORK_NANOS_MAX));
    }
  }

  private long revision() throws IOException {
    return ask(RangeRequest.newBuilder().setKey(KEYS.key(0)).build().toByteArray()).getHeader().getRevision();
  }

  private static double millisSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e6;
  }

  private void read() throws IOException {
    Template span = Template.span(KEYS);
    readFor("range of 1,000", () -> atRandomSpan(span));
    Template page = Template.all(KEYS, range -> range.setLimit(RANGE_KEYS));
    readFor("first 1,000 of all (limit)", () -> page);
    Template count = Template.all(KEYS, range -> range.setCountOnly(true));
    readFor("count of all", () -> count);
    long answerBytes = (long) options.keys() * (options.valueBytes() + KEYS.key(0).size() + KEY_VALUE_EXTRA_BYTES);
    if (answerBytes < Integer.MAX_VALUE) {
      listSomeTimes();
    }
    resident("after reads");
  }

  private Template atRandomSpan(Template span) {
    int namespace = random.nextInt(Keys.NAMESPACES);
    int pods = options.keys() / Keys.NAMESPACES;
    int first = random.nextInt(pods - RANGE_KEYS + 1);
    span.setSpan(first * Keys.NAMESPACES + namespace, (first + RANGE_KEYS) * Keys.NAMESPACES + namespace);
    return span;
  }

  /// One client, one request at a time.
  private void readFor(String name, Supplier<Template> requests) throws IOException {
    Meter meter = new Meter();
    try (LoadLoop loop = new LoadLoop(server.port())) {
      new UnaryCall(loop.connect(), requests, meter).start();
      loop.run(WARM_UP_SECONDS * 1_000_000_000L);
      double cpu = server.cpuSeconds();
      meter.start();
      loop.run(options.seconds() * 1_000_000_000L);
      meter.stop();
      cpu = server.cpuSeconds() - cpu;
      if (meter.errors() > 0 || meter.count() == 0) {
        throw new IOException(
            name + ": " + meter.count() + " answers, " + meter.errors() + " errors, " + meter.firstError());
      }
      figures.add(name + ", p50", "ms", meter.millisAt(50));
      figures.add(name + ", p99", "ms", meter.millisAt(99));
      figures.add(name + ", server CPU", "ms", cpu * 1e3 / meter.count());
    }
  }

  private void listSomeTimes() throws IOException {
    double[] millis = new double[LISTS];
    double cpu = server.cpuSeconds();
    for (int i = 0; i < LISTS; i++) {
      millis[i] = list();
    }
    figures.add("range of all", "ms", Report.median(millis));
    figures.add("range of all, slowest", "ms", Arrays.stream(millis).max().orElseThrow());
    figures.add("range of all, server CPU", "ms", (server.cpuSeconds() - cpu) * 1e3 / LISTS);
  }

  /// All keys in one answer. The milliseconds it took.
  private double list() throws IOException {
    var call =
        new ListCall() {
          int status = -1;
          String text = "";
          long nanos;

          @Override
          void onDone(int status, String text, long tookNanos) {
            this.status = status;
            this.text = text;
            nanos = tookNanos;
          }
        };
    try (LoadLoop loop = new LoadLoop(server.port())) {
      call.start(loop.connect(), Template.all(KEYS, range -> range));
      loop.run(WORK_NANOS_MAX, () -> call.status >= 0);
    }
    if (call.status != 0 || call.keys() != options.keys()) {
      throw new IOException(
          "a range of all gave " + call.keys() + " keys, status " + call.status + ", " + call.text);
    }
    return call.nanos / 1e6;
  }

  private interface Work {
    void run() throws IOException, InterruptedException;
  }

  private void work() throws IOException, InterruptedException {
    int half = options.keys() / 2;
    Template put = Template.put(KEYS, options.valueBytes());
    try (SteadyPuts puts =
        new SteadyPuts(server.port(), PUT_CONNS, options.rate(), put, random -> keptKey(random.nextInt(half)))) {
      Thread.sleep(options.seconds() * 1_000L);
      double idle = during(puts, "nothing", 0, () -> Thread.sleep(options.seconds() * 1_000L));
      during(puts, "ranges of all, one after another", idle, this::listForAWhile);
      figures.add("put every key again", "s", putEveryKey());
      int behind = Math.min(BEHIND, half);
      during(puts, "a watcher " + behind + " revisions behind", idle, () -> catchUp(behind));
      during(puts, "compaction of every key's past", idle, this::compact);
      figures.add("file after compaction", "MB", server.dbBytes() / 1e6);
      during(puts, "deletion of half", idle, this::deleteHalf);
      during(puts, "compaction of the deleted", idle, this::compact);
      figures.add("file before defragmentation", "MB", server.dbBytes() / 1e6);
      during(puts, "defragmentation", idle, this::defragment);
      figures.add("file after defragmentation", "MB", server.dbBytes() / 1e6);
      during(puts, "snapshot save", idle, this::saveSnapshot);
      during(puts, "nothing, again", idle, () -> Thread.sleep(options.seconds() * 1_000L));
    }
  }

  /// The number of a key in the half of the namespaces that is not deleted.
  private static int keptKey(int number) {
    int kept = Keys.NAMESPACES / 2;
    return number / kept * Keys.NAMESPACES + kept + number % kept;
  }

  /// Their p99 in milliseconds. `idle` is the p99 without work, 0 where that is being measured.
  private double during(SteadyPuts puts, String name, double idle, Work work) throws IOException, InterruptedException {
    awaitCalm();
    double cpu = server.cpuSeconds();
    Tally tally = puts.count();
    long begun = System.nanoTime();
    work.run();
    double seconds = millisSince(begun) / 1e3;
    cpu = server.cpuSeconds() - cpu;
    puts.count();
    long patience = System.nanoTime() + WORK_NANOS_MAX;
    while (tally.unanswered() > 0 && System.nanoTime() < patience && puts.failure().isEmpty()) {
      Thread.sleep(10);
    }
    if (!puts.failure().isEmpty()) {
      throw new IOException("the puts ended: " + puts.failure());
    }
    double p99 = tally.millisAt(99);
    figures.add(name, new Figures.During(seconds, cpu, tally, idle == 0 ? 1 : p99 / idle));
    return p99;
  }

  /// Waits until the server takes requests again, should the work before have left it behind.
  private void awaitCalm() throws IOException, InterruptedException {
    long patience = System.nanoTime() + WORK_NANOS_MAX;
    while (true) {
      try {
        revision();
        return;
      } catch (RefusedException e) {
        if (System.nanoTime() > patience) {
          throw e;
        }
        Thread.sleep(100);
      }
    }
  }

  private void listForAWhile() throws IOException {
    long end = System.nanoTime() + options.seconds() * 1_000_000_000L;
    int lists = 0;
    do {
      list();
      lists++;
    } while (System.nanoTime() < end);
    figures.add("ranges of all beside puts", "in all", lists);
  }

  private void catchUp(int behind) throws IOException {
    long now = revision();
    CatchUpCall watcher = new CatchUpCall(now);
    try (LoadLoop loop = new LoadLoop(server.port())) {
      watcher.start(loop.connect(), KEYS, now - behind + 1);
      loop.run(CATCH_UP_NANOS_MAX, watcher::isDone);
    }
    if (!watcher.failure().isEmpty()) {
      throw new IOException("the watcher saw " + watcher.events() + " events; " + watcher.failure());
    }
    figures.add("what the watcher has caught up with", "%", Math.min(100, 100.0 * watcher.events() / behind));
  }

  private void compact() throws IOException {
    CompactionRequest request = CompactionRequest.newBuilder().setRevision(revision()).setPhysical(true).build();
    call("/etcdserverpb.KV/Compact", request.toByteArray());
  }

  private void defragment() throws IOException {
    call("/etcdserverpb.Maintenance/Defragment", DefragmentRequest.getDefaultInstance().toByteArray());
  }

  private void call(String path, byte[] request) throws IOException {
    try (LoadLoop loop = new LoadLoop(server.port())) {
      loop.call(loop.connect(), path, request, WORK_NANOS_MAX);
    }
  }

  private void deleteHalf() throws IOException {
    Template delete = Template.deleteSpan(KEYS);
    int spans = options.keys() / Keys.NAMESPACES / DELETED_AT_ONCE;
    int namespaces = Keys.NAMESPACES / 2;
    Batch.run(
        server.port(),
        10,
        1,
        spans * namespaces,
        WORK_SECONDS_MAX,
        index -> {
          int namespace = index % namespaces;
          int first = index / namespaces * DELETED_AT_ONCE;
          delete.setSpan(first * Keys.NAMESPACES + namespace, (first + DELETED_AT_ONCE) * Keys.NAMESPACES + namespace);
          return delete;
        });
  }

  private void saveSnapshot() throws IOException {
    var stream =
        new GrpcStream(false) {
          long bytes;
          int status = -1;
          String text = "";

          @Override
          void onPiece(byte[] data, int offset, int length) {
            bytes += length;
          }

          @Override
          void onMessage(byte[] message, int length) {
            // Counted above.
          }

          @Override
          void onEnd(int status, String text) {
            this.status = status;
            this.text = text;
          }
        };
    byte[] request = Template.framed(SnapshotRequest.getDefaultInstance().toByteArray());
    try (LoadLoop loop = new LoadLoop(server.port())) {
      Http2Connection connection = loop.connect();
      connection.open(stream, "/etcdserverpb.Maintenance/Snapshot");
      connection.send(stream, request, request.length, true);
      loop.run(WORK_NANOS_MAX, () -> stream.status >= 0);
    }
    if (stream.status != 0) {
      throw new IOException("the snapshot ended with status " + stream.status + ", " + stream.text);
    }
    figures.add("snapshot", "MB", stream.bytes / 1e6);
  }
}
