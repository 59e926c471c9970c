package dev.kvorum.fuzz;

import java.util.List;

/// One thing to fuzz: a reader of bytes that others wrote, told to the fuzzer as a function of bytes.
///
/// A run ends by returning, or by one of the refusals that [Driver] knows. Anything else thrown, too much time or too
/// much memory is a finding.
interface Target {
  /// Bytes beyond which inputs say nothing new.
  int inputBytesMax();

  /// Valid inputs to begin with, made by our own writers.
  List<byte[]> seeds() throws Exception;

  void run(byte[] input) throws Exception;
}
