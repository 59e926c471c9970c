package dev.kvorum.state.membership;

import dev.kvorum.state.schema.Version;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Whether the cluster is on its way to an older minor version.
///
/// @param targetVersion `major.minor.0` while `enabled`, else empty
public record DowngradeInfo(boolean enabled, String targetVersion) {
  public static final DowngradeInfo NONE = new DowngradeInfo(false, "");

  String toJson() {
    return new JsonWriter().text("target-version", targetVersion).flag("enabled", enabled).finish();
  }

  /// @throws IOException also when a downgrade to something that is no version is on: etcd refuses such a db, too
  static DowngradeInfo ofJson(String json) throws IOException {
    Map<String, @Nullable Object> object = JsonReader.object(json);
    DowngradeInfo info =
        new DowngradeInfo(JsonReader.flag(object, "enabled"), JsonReader.text(object, "target-version"));
    if (info.enabled && Version.parse(info.targetVersion) == null) {
      throw new IOException("the db says a downgrade to \"" + info.targetVersion + "\", which is no version");
    }
    return info;
  }
}
