package dev.kvorum.server.config;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;

/// Finds the address that others most likely reach this machine at.
@FunctionalInterface
public interface DefaultHost {
  /// @return an IPv4 address, or the empty text when there is none to be found
  String find();

  /// The address of the interface of Linux's default route.
  static String ofDefaultRoute() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/net/route"), StandardCharsets.US_ASCII)) {
        String[] columns = line.split("\\s+");
        if (columns.length > 2 && columns[1].equals("00000000")) {
          return addressOf(columns[0]);
        }
      }
    } catch (IOException noRoutes) {
      return "";
    }
    return "";
  }

  private static String addressOf(String interfaceName) throws IOException {
    NetworkInterface found = NetworkInterface.getByName(interfaceName);
    if (found == null) {
      return "";
    }
    for (InetAddress address : Collections.list(found.getInetAddresses())) {
      if (address instanceof Inet4Address) {
        return address.getHostAddress();
      }
    }
    return "";
  }
}
