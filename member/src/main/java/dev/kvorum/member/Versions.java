package dev.kvorum.member;

import dev.kvorum.api.EtcdException;
import dev.kvorum.env.Failpoint;
import dev.kvorum.env.Failpoints;
import dev.kvorum.member.peer.PeerCall;
import dev.kvorum.member.peer.PeerLinks;
import dev.kvorum.state.Effect;
import dev.kvorum.state.Request;
import dev.kvorum.state.StateMachine;
import dev.kvorum.state.membership.Member;
import dev.kvorum.state.membership.MembershipView;
import dev.kvorum.state.schema.SchemaException;
import dev.kvorum.state.schema.Version;
import dev.kvorum.state.schema.VersionMonitor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes this member known to the cluster, and keeps the cluster's version and the file's schema in step. Owned by the
/// apply loop.
final class Versions {
  private static final Logger LOG = LoggerFactory.getLogger(Versions.class);
  private static final long MONITOR_NANOS = TimeUnit.SECONDS.toNanos(4);
  private static final long ASK_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private final Failpoints failpoints;
  private final MemberConfig config;
  private final ApplyLoop applyLoop;
  private final StateMachine machine;
  private final Proposals proposals;
  private final PeerLinks links;
  private final long memberId;
  private final Runnable ready;
  private boolean isPublished;
  private boolean isReady;
  private boolean leads;
  private boolean proposing;
  private @Nullable String storageTrouble;
  private volatile @Nullable Version storage;

  /// @param ready runs once, on the apply loop, when the cluster knows this member's name and URLs, and its own version
  Versions(
      Failpoints failpoints,
      MemberConfig config,
      ApplyLoop applyLoop,
      StateMachine machine,
      Proposals proposals,
      PeerLinks links,
      long memberId,
      Runnable ready) {
    this.failpoints = failpoints;
    this.config = config;
    this.applyLoop = applyLoop;
    this.machine = machine;
    this.proposals = proposals;
    this.links = links;
    this.memberId = memberId;
    this.ready = ready;
    this.storage = machine.schema().recorded();
  }

  void start() {
    applyLoop
        .loop()
        .execute(
            () -> {
              publish();
              monitor();
            });
  }

  /// The schema version the file records; null before it does. Any thread.
  @Nullable Version storage() {
    return storage;
  }

  private void publish() {
    failpoints.reach(Failpoint.BEFORE_PUBLISHING);
    proposals.propose(
        new Request.MemberAttributesSet(memberId, config.name(), config.advertiseClientUrls()),
        outcome -> {
          LOG.atInfo()
              .addKeyValue("local-member-id", Long.toHexString(memberId))
              .addKeyValue(
                  "local-member-attributes",
                  "{Name:" + config.name() + " ClientURLs:" + config.advertiseClientUrls() + "}")
              .log("published local member to cluster through raft");
          isPublished = true;
          tellReady();
        },
        why -> applyLoop.loop().schedule(RETRY_NANOS, this::publish));
  }

  private void monitor() {
    applyLoop
        .loop()
        .schedule(
            MONITOR_NANOS,
            () -> {
              proposeClusterVersion();
              migrate();
              monitor();
            });
  }

  void leads(boolean now) {
    leads = now;
    proposeClusterVersion();
  }

  /// A member serves once the cluster knows it and has a version to speak.
  private void tellReady() {
    if (isPublished && !isReady && machine.membership().clusterVersion() != null) {
      isReady = true;
      ready.run();
    }
  }

  /// A snapshot from the leader brought another file.
  void replaced() {
    storage = machine.schema().recorded();
    tellReady();
    migrate();
  }

  void handle(Effect.ClusterVersionChanged change) {
    tellReady();
    LOG.atInfo().addKeyValue("cluster-version", minor(change.view())).log("cluster version is updated");
    migrate();
  }

  private static String minor(MembershipView view) {
    Version version = view.clusterVersion();
    return version == null ? "" : version.major() + "." + version.minor();
  }

  /// Asks all members what they are before it decides; one that does not answer leaves it undecided.
  private void proposeClusterVersion() {
    if (!leads || proposing) {
      return;
    }
    proposing = true;
    Map<Long, @Nullable String> known = new TreeMap<>();
    known.put(memberId, config.serverVersion());
    List<Long> others =
        machine.membership().view().members().stream().map(Member::id).filter(id -> id != memberId).toList();
    if (others.isEmpty()) {
      decide(known);
    }
    for (long other : others) {
      links.call(
          other,
          new PeerCall.Versions(),
          ASK_NANOS,
          new Reply<>() {
            @Override
            public void complete(PeerCall.ServerVersions answer) {
              heard(other, answer.server().toString(), known, others.size() + 1);
            }

            @Override
            public void refuse(EtcdException why) {
              heard(other, null, known, others.size() + 1);
            }
          });
    }
  }

  private void heard(long from, @Nullable String version, Map<Long, @Nullable String> known, int all) {
    applyLoop
        .loop()
        .execute(
            () -> {
              known.put(from, version);
              if (known.size() == all) {
                decide(known);
              }
            });
  }

  private void decide(Map<Long, @Nullable String> known) {
    proposing = false;
    if (!leads) {
      return;
    }
    Version next =
        VersionMonitor.clusterVersion(
            machine.membership().clusterVersion(),
            VersionMonitor.lowest(new ArrayList<>(known.values())),
            machine.membership().downgradeInfo());
    if (next == null) {
      return;
    }
    LOG.atInfo().addKeyValue("cluster-version", next.toString()).log("setting up initial cluster version using v3 API");
    proposing = true;
    proposals.propose(
        new Request.ClusterVersionSet(next.toString()),
        outcome -> proposing = false,
        why -> applyLoop.loop().execute(() -> proposing = false));
  }

  private void migrate() {
    Version detected = machine.schema().detect(machine.backend().batch().term());
    Version target = VersionMonitor.storageVersion(machine.membership().clusterVersion(), detected);
    if (target == null) {
      return;
    }
    try {
      for (Version step : machine.migrateSchema(target, null)) {
        LOG.atInfo().addKeyValue("new-storage-version", step.toString()).log("updated storage version");
      }
      storage = machine.schema().recorded();
    } catch (SchemaException e) {
      if (!String.valueOf(e.getMessage()).equals(storageTrouble)) {
        storageTrouble = String.valueOf(e.getMessage());
        LOG.atWarn()
            .addKeyValue("target-version", target.toString())
            .addKeyValue("error", storageTrouble)
            .log("failed to update storage version");
      }
    }
  }
}
