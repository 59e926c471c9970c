package dev.kvorum.bench;

import java.util.Locale;

/// What one run of one row on one server came to.
///
/// @param perSecond requests answered (or events delivered) per second
/// @param p50Millis median time of one
/// @param cpuPer100k server processor seconds per 100,000
/// @param clientCpu share of one processor the clients took, to see when they are what limits
/// @param elseCpu share of one processor that everything else on the machine took: not much, or the run says little
/// @param residentBytes of the server, right after
/// @param errors calls that were answered with an error, warm-up included
/// @param firstError the first of them; empty if none
record Sample(
    double perSecond,
    double p50Millis,
    double p99Millis,
    double p999Millis,
    double cpuPer100k,
    double clientCpu,
    double elseCpu,
    long residentBytes,
    long errors,
    String firstError) {
  double residentMegabytes() {
    return residentBytes / 1e6;
  }

  @Override
  public String toString() {
    String line =
        String.format(
            Locale.ROOT,
            "%,10.0f/s  p50 %7.3f  p99 %7.3f  p99.9 %7.3f ms  %7.2f CPU-s/100k  %5.0f MB  (clients %.0f %%, others %.0f %% of a CPU)",
            perSecond, p50Millis, p99Millis, p999Millis, cpuPer100k, residentMegabytes(),
            clientCpu * 100, elseCpu * 100);
    return errors == 0 ? line : line + "  " + errors + " ERRORS, first: " + firstError;
  }
}
