package dev.kvorum.server;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Failures of the operating system in the words operators of etcd search for.
final class FailureText {
  private FailureText() {}

  /// Why a file or directory could not be used, such as `permission denied`.
  static String of(IOException failure) {
    return switch (failure) {
      case NoSuchFileException ignored -> "no such file or directory";
      case AccessDeniedException ignored -> "permission denied";
      case FileAlreadyExistsException ignored -> "not a directory";
      case FileSystemException e when e.getReason() != null -> lowerFirst(e.getReason());
      default -> lowerFirst(String.valueOf(failure.getMessage()));
    };
  }

  /// @param doing the system call that failed and what it was about: `mkdir /data`
  static IOException cannotUse(String doing, IOException failure) {
    return new IOException("cannot access data directory: " + doing + ": " + of(failure), failure);
  }

  /// `listen tcp 127.0.0.1:2380: bind: address already in use`.
  static IOException cannotListen(InetSocketAddress address, Exception failure) {
    return new IOException("listen tcp " + textOf(address) + ": bind: " + bindReason(failure), failure);
  }

  /// `127.0.0.1:2379`, `[::1]:2379`.
  static String textOf(InetSocketAddress address) {
    String host = address.isUnresolved() ? address.getHostString() : address.getAddress().getHostAddress();
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
  }

  private static String bindReason(Throwable failure) {
    for (@Nullable Throwable at = failure; at != null; at = at.getCause()) {
      if (at instanceof UnresolvedAddressException) {
        return "no such host";
      }
      if (at instanceof BindException && at.getMessage() != null) {
        return lowerFirst(at.getMessage().replaceFirst(" \\(.*\\)$", ""));
      }
    }
    return lowerFirst(String.valueOf(failure.getMessage()));
  }

  private static String lowerFirst(String text) {
    return text.isEmpty() ? text : text.substring(0, 1).toLowerCase(Locale.ROOT) + text.substring(1);
  }
}
