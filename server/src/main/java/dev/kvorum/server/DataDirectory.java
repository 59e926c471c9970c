package dev.kvorum.server;

import dev.kvorum.server.config.ServerConfig;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The directory everything is kept in, as it is found at start.
///
/// @param initialized true when a member has lived there
record DataDirectory(Path path, boolean initialized) {
  private static final Logger LOG = LoggerFactory.getLogger(DataDirectory.class);
  private static final Set<PosixFilePermission> PRIVATE =
      EnumSet.of(
          PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE);

  /// Looks at the directory and says what it is.
  ///
  /// @throws IOException when it is there and cannot be listed
  static DataDirectory inspect(ServerConfig config) throws IOException {
    Path path = config.dataDir();
    boolean initialized = holdsMember(path);
    LOG.atInfo()
        .addKeyValue("data-dir", path.toString())
        .addKeyValue("dir-type", initialized ? "member" : "empty")
        .log(initialized ? "server has already been initialized" : "Initialize and start etcd server");
    return new DataDirectory(path, initialized);
  }

  private static boolean holdsMember(Path path) throws IOException {
    if (!Files.exists(path)) {
      return false;
    }
    List<String> strange = new ArrayList<>();
    boolean member = false;
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
      for (Path entry : entries) {
        String name = entry.getFileName().toString();
        if (name.equals("member")) {
          member = true;
        } else if (!name.equals("fixtures")) {
          strange.add(name);
        }
      }
    } catch (NotDirectoryException e) {
      throw unlistable(path, "readdirent " + path + ": not a directory");
    } catch (IOException e) {
      throw unlistable(path, "open " + path + ": " + FailureText.of(e));
    }
    for (String name : strange) {
      LOG.atWarn().addKeyValue("filename", name).addKeyValue("data-dir", path.toString())
          .log("found invalid file under data directory");
    }
    return member;
  }

  private static IOException unlistable(Path path, String why) {
    LOG.atError().addKeyValue("dir", path.toString()).addKeyValue("error", why)
        .log("failed to list data directory");
    return new IOException(why);
  }

  /// Makes the directory, for us alone, and makes sure that it can be written.
  ///
  /// @throws IOException in etcd's words when that cannot be
  void makeWritable() throws IOException {
    if (Files.exists(path)) {
      try {
        warnOfPermissions(path);
      } catch (IOException e) {
        throw FailureText.cannotUse("open " + path, e);
      }
    } else {
      try {
        Files.createDirectories(path, PosixFilePermissions.asFileAttribute(PRIVATE));
      } catch (IOException e) {
        throw FailureText.cannotUse("mkdir " + path, e);
      }
    }
    touch(path.resolve(".touch"));
  }

  private static void touch(Path file) throws IOException {
    Set<PosixFilePermission> ours = EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
    Set<StandardOpenOption> options = EnumSet.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      Files.newByteChannel(file, options, PosixFilePermissions.asFileAttribute(ours)).close();
      Files.delete(file);
    } catch (IOException e) {
      throw FailureText.cannotUse("open " + file, e);
    }
  }

  private static void warnOfPermissions(Path path) throws IOException {
    Set<PosixFilePermission> found = Files.getPosixFilePermissions(path);
    if (!found.equals(PRIVATE)) {
      LOG.atWarn()
          .addKeyValue(
              "error",
              "directory \"%s\" exist, but the permission is \"d%s\". The recommended permission is \"d%s\" to prevent "
                      .formatted(path, PosixFilePermissions.toString(found), PosixFilePermissions.toString(PRIVATE))
                  + "possible unprivileged access to the data")
          .log("check file permission");
    }
  }
}
