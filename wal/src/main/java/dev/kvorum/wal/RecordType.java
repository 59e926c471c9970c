package dev.kvorum.wal;

/// The kinds of record in a log, by number.
final class RecordType {
  private RecordType() {}

  static final int METADATA = 1;
  static final int ENTRY = 2;
  static final int STATE = 3;
  static final int CRC = 4;
  static final int SNAPSHOT = 5;
}
