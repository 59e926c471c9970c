package dev.kvorum.state.schema;

import dev.kvorum.env.Bytes;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.BucketName;
import dev.kvorum.state.backend.MetaKey;
import dev.kvorum.state.backend.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The version of the file's schema: read from it, or guessed, and moved one minor version at a time.
///
/// It follows the cluster's version, not the program's, so that an older program can take over in a cluster that has
/// not been upgraded. The only difference between versions so far is the entry that names the version itself, which 3.5
/// does not have.
///
/// Owned by the apply loop. Source: `backend-schema.md` §8; etcd `server/storage/schema/`.
public final class Schema {
  /// Minor versions whose schema we know a step to; 3.5 is where the steps begin.
  private static final List<Version> STEPS = List.of(Version.V3_6, Version.V3_7);

  private @Nullable Version recorded;

  private Schema(@Nullable Version recorded) {
    this.recorded = recorded;
  }

  public static Schema load(Backend backend) throws IOException {
    byte[] value = backend.get(BucketName.META, MetaKey.STORAGE_VERSION);
    return new Schema(value == null ? null : Version.parse(Bytes.wrap(value).toUtf8()));
  }

  /// What the file records; null before 3.6.
  public @Nullable Version recorded() {
    return recorded;
  }

  /// The schema the file has, as far as it can be told.
  ///
  /// @param term the raft term recorded with the consistent index; 0 when none is, which leaves nothing to tell from
  /// @return null when it cannot be told: a file of 3.4, or one in which nothing was committed yet
  public @Nullable Version detect(long term) {
    return recorded != null ? recorded : term != 0 ? Version.V3_5 : null;
  }

  /// Whether this program can use the file. One whose version cannot be told passes, as in etcd.
  ///
  /// @throws SchemaException when it cannot
  public void checkSupported(long term) throws SchemaException {
    Version current = detect(term);
    if (current != null) {
      plan(current, Version.SERVER.majorMinor());
    }
  }

  /// Moves the file to `target`.
  ///
  /// @param batch whose term says whether the file's version can be told
  /// @param logMinimum the version that reading the log since the last snapshot needs; null when any will do
  /// @return the versions it went through, the last being the target's; empty when it was there
  /// @throws SchemaException when there is no way, or the log holds what the target cannot read; nothing is changed
  ///     then
  public List<Version> migrate(WriteBatch batch, Version target, @Nullable Version logMinimum)
      throws SchemaException {
    Version current = detect(batch.term());
    if (current == null) {
      throw new SchemaException("cannot detect storage schema version: missing term information");
    }
    List<Version> plan;
    try {
      plan = plan(current, target);
    } catch (SchemaException e) {
      throw new SchemaException("cannot create migration plan: " + e.getMessage());
    }
    if (target.isBelow(current) && logMinimum != null && target.isBelow(logMinimum)) {
      throw new SchemaException(
          "cannot downgrade storage, WAL contains newer entries, as the target version (" + target
              + ") is lower than the version (" + logMinimum + ") detected from WAL logs");
    }
    for (Version step : plan) {
      record(batch, step);
    }
    return plan;
  }

  /// Says that the file has a version without doing anything about it (`etcdutl migrate --force`).
  public void record(WriteBatch batch, Version version) {
    if (version.isBelow(Version.V3_6)) {
      recorded = null;
      batch.delete(BucketName.META, MetaKey.STORAGE_VERSION);
    } else {
      recorded = version.majorMinor();
      batch.put(BucketName.META, MetaKey.STORAGE_VERSION, Bytes.utf8(recorded.toString()));
    }
  }

  private static List<Version> plan(Version from, Version to) throws SchemaException {
    Version current = from.majorMinor();
    Version target = to.majorMinor();
    if (current.major() != target.major()) {
      throw new SchemaException("changing major storage version is not supported");
    }
    List<Version> plan = new ArrayList<>();
    while (!current.equals(target)) {
      boolean up = current.minor() < target.minor();
      // The step between two versions belongs to the higher one.
      Version higher = up ? Version.of(current.major(), current.minor() + 1) : current;
      if (!STEPS.contains(higher)) {
        throw new SchemaException("version \"" + higher + "\" is not supported");
      }
      current = up ? higher : Version.of(current.major(), current.minor() - 1);
      plan.add(current);
    }
    return plan;
  }
}
