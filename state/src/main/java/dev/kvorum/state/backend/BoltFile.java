package dev.kvorum.state.backend;

import dev.kvorum.bolt.Bolt;
import dev.kvorum.env.Invariant;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;

/// An open bolt file that outlives its place in the [Backend] while snapshots of it are being streamed.
///
/// Read transactions survive the closing of their file by themselves; streams read the file and do not.
final class BoltFile {
  private final Bolt bolt;
  private final AtomicInteger holders = new AtomicInteger(1);

  BoltFile(Bolt bolt) {
    this.bolt = bolt;
  }

  Bolt bolt() {
    return bolt;
  }

  void retain() {
    int before = holders.getAndIncrement();
    Invariant.check(before > 0, "a closed file is retained");
  }

  void release() throws IOException {
    int left = holders.decrementAndGet();
    Invariant.check(left >= 0, "a file is released too often");
    if (left == 0) {
      bolt.close();
    }
  }
}
