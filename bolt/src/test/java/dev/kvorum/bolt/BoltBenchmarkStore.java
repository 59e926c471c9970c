package dev.kvorum.bolt;

import java.nio.file.Path;

/// One of the engines compared by [BoltBenchmark]: each does its work in its own best way.
interface BoltBenchmarkStore {
  /// As its rows are called.
  String name();

  /// @param listed with the free pages listed in the file, where the engine has the choice
  void open(Path file, boolean listed) throws Exception;

  void close() throws Exception;

  /// Puts keys `from` to `to` in one transaction, made durable.
  void put(BoltBenchmarkKeys.Source keys, int from, int to, byte[] value, boolean ascending) throws Exception;

  /// Deletes keys `from` to `to` in one transaction, made durable.
  void delete(BoltBenchmarkKeys.Source keys, int from, int to) throws Exception;

  /// Gets `gets` random ones of the first `count` keys in one transaction, copying each value. @return bytes copied
  long get(BoltBenchmarkKeys.Source keys, int count, int gets) throws Exception;

  /// Walks up to 1,000 elements from random ones of the first `count` keys on, `scans` times in one transaction,
  /// looking at the last byte of each key and each value. @return their sum
  long scan(BoltBenchmarkKeys.Source keys, int count, int scans) throws Exception;

  /// Walks all elements so. @return how many
  int scanAll() throws Exception;
}
