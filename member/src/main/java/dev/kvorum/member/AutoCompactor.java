package dev.kvorum.member;

import dev.kvorum.state.Request;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// `--auto-compaction-*`: forgets history by age or by count, on the leader only. Owned by the apply loop.
///
/// By age, the revision is sampled ten times a period (the retention, at most an hour), and once samples reach back the
/// whole retention, history below the oldest goes, once a period. By count, the newest so many revisions stay, looked at
/// every five minutes.
final class AutoCompactor {
  private static final Logger LOG = LoggerFactory.getLogger(AutoCompactor.class);
  private static final long PERIOD_MAX_NANOS = TimeUnit.HOURS.toNanos(1);
  private static final long REVISION_PERIOD_NANOS = TimeUnit.MINUTES.toNanos(5);
  private static final int SAMPLES_PER_PERIOD = 10;

  private final MemberConfig config;
  private final ApplyLoop applyLoop;
  private final Proposals proposals;
  private final ArrayDeque<Long> samples = new ArrayDeque<>();
  private int samplesSinceCompaction;
  private long lastCompacted;
  private boolean leads;

  AutoCompactor(MemberConfig config, ApplyLoop applyLoop, Proposals proposals) {
    this.config = config;
    this.applyLoop = applyLoop;
    this.proposals = proposals;
  }

  void start() {
    if (config.autoCompactionRetention() > 0) {
      applyLoop
          .loop()
          .execute(
              () -> {
                samples.addLast(applyLoop.machine().keys().currentRevision());
                schedule();
              });
    }
  }

  void leads(boolean now) {
    leads = now;
  }

  private boolean byAge() {
    return config.autoCompactionMode() == MemberConfig.AutoCompactionMode.PERIODIC;
  }

  private long periodNanos() {
    return Math.min(config.autoCompactionRetention(), PERIOD_MAX_NANOS);
  }

  private void schedule() {
    long delay = byAge() ? Math.max(1, periodNanos() / SAMPLES_PER_PERIOD) : REVISION_PERIOD_NANOS;
    applyLoop
        .loop()
        .schedule(
            delay,
            () -> {
              if (byAge()) {
                sample();
              } else {
                compactTo(applyLoop.machine().keys().currentRevision() - config.autoCompactionRetention());
              }
              schedule();
            });
  }

  private void sample() {
    samples.addLast(applyLoop.machine().keys().currentRevision());
    samplesSinceCompaction++;
    // one more than intervals: from the oldest to the newest sample it is the whole retention, never less
    long needed = config.autoCompactionRetention() / Math.max(1, periodNanos() / SAMPLES_PER_PERIOD) + 1;
    while (samples.size() > needed) {
      samples.removeFirst();
    }
    if (samples.size() >= needed && samplesSinceCompaction >= SAMPLES_PER_PERIOD) {
      compactTo(samples.getFirst());
    }
  }

  private void compactTo(long revision) {
    if (!leads || revision <= 0 || revision == lastCompacted) {
      return;
    }
    String mode = byAge() ? "periodic" : "revision";
    LOG.atInfo()
        .addKeyValue("revision", revision)
        .addKeyValue(byAge() ? "compact-period" : "revision-compaction-retention", retention())
        .log("starting auto {} compaction", mode);
    proposals.propose(
        new Request.Compact(revision, false),
        outcome -> {
          // refused means that somebody else compacted as far already
          lastCompacted = revision;
          samplesSinceCompaction = 0;
          LOG.atInfo().addKeyValue("revision", revision).log("completed auto {} compaction", mode);
        },
        why ->
            LOG.atWarn()
                .addKeyValue("revision", revision)
                .addKeyValue("error", why.text())
                .log("failed auto {} compaction", mode));
  }

  private Object retention() {
    return byAge() ? Duration.ofNanos(config.autoCompactionRetention()) : config.autoCompactionRetention();
  }
}
