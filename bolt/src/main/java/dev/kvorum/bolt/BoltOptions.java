package dev.kvorum.bolt;

/// How [Bolt#open] treats a file. None of it is recorded in the file, except the page size of a new one.
///
/// @param readOnly shares the file lock with other readers and refuses write transactions
/// @param noSync skips every sync: a crash of the machine may lose the file (etcd's `--unsafe-no-fsync`)
/// @param syncFreelist writes the free page list with each commit, for bbolt's sake, which then opens faster. That costs
///     each commit eight bytes per free page, ten million of them 80 MB: the reason why etcd does without. We walk all
///     pages at opening in any case
/// @param initialMapBytes address space mapped at once; larger files are mapped in whole. Costs no memory
/// @param pageSize bytes per page of a file created by this open, a power of two from 1024 to 65536
public record BoltOptions(
    boolean readOnly, boolean noSync, boolean syncFreelist, long initialMapBytes, int pageSize) {
  public BoltOptions {
    if (initialMapBytes < 0) {
      throw new IllegalArgumentException("initialMapBytes " + initialMapBytes);
    }
    if (pageSize < 1024 || pageSize > 65536 || Integer.bitCount(pageSize) != 1) {
      throw new IllegalArgumentException("pageSize " + pageSize);
    }
  }

  /// What etcd opens its backend with: synced, free pages not recorded, 10 GiB mapped, pages of 4096 bytes.
  public static BoltOptions defaults() {
    return new BoltOptions(false, false, false, 10L << 30, 4096);
  }

  /// For tools that only look: read-only, mapping no more than the file.
  public static BoltOptions reading() {
    return new BoltOptions(true, false, false, 0, 4096);
  }

  public BoltOptions withNoSync(boolean value) {
    return new BoltOptions(readOnly, value, syncFreelist, initialMapBytes, pageSize);
  }

  public BoltOptions withSyncFreelist(boolean value) {
    return new BoltOptions(readOnly, noSync, value, initialMapBytes, pageSize);
  }

  public BoltOptions withInitialMapBytes(long value) {
    return new BoltOptions(readOnly, noSync, syncFreelist, value, pageSize);
  }

  public BoltOptions withPageSize(int value) {
    return new BoltOptions(readOnly, noSync, syncFreelist, initialMapBytes, value);
  }
}
