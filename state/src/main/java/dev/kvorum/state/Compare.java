package dev.kvorum.state;

import dev.kvorum.env.Bytes;
import dev.kvorum.state.keys.KeyRange;

/// A guard of a [Request.Txn]: one field of one key, or of every key of a range, against an operand.
///
/// @param rangeEnd as in [Request.Range]; empty compares the single `key`
/// @param number the operand unless `target` is `VALUE`; 0 when the request brought none or one of another target
/// @param value the operand when `target` is `VALUE`, else empty
public record Compare(Result result, Target target, Bytes key, Bytes rangeEnd, long number, Bytes value) {

  /// Ordinals are etcd's numbers. A number we do not know holds always, as it does in etcd.
  public enum Result {
    EQUAL,
    GREATER,
    LESS,
    NOT_EQUAL,
    UNKNOWN;

    private static final Result[] ALL = values();

    static Result of(int number) {
      return number >= 0 && number < UNKNOWN.ordinal() ? ALL[number] : UNKNOWN;
    }

    /// Whether a comparison whose sign is `sign` (field against operand) satisfies this result.
    public boolean holds(int sign) {
      return switch (this) {
        case EQUAL -> sign == 0;
        case GREATER -> sign > 0;
        case LESS -> sign < 0;
        case NOT_EQUAL -> sign != 0;
        case UNKNOWN -> true;
      };
    }
  }

  /// Ordinals are etcd's numbers. A number we do not know compares as equal, as it does in etcd.
  public enum Target {
    VERSION,
    CREATE,
    MOD,
    VALUE,
    LEASE,
    UNKNOWN;

    private static final Target[] ALL = values();

    static Target of(int number) {
      return number >= 0 && number < UNKNOWN.ordinal() ? ALL[number] : UNKNOWN;
    }
  }

  public static Compare version(Bytes key, Result result, long operand) {
    return new Compare(result, Target.VERSION, key, Bytes.EMPTY, operand, Bytes.EMPTY);
  }

  public static Compare createRevision(Bytes key, Result result, long operand) {
    return new Compare(result, Target.CREATE, key, Bytes.EMPTY, operand, Bytes.EMPTY);
  }

  public static Compare modRevision(Bytes key, Result result, long operand) {
    return new Compare(result, Target.MOD, key, Bytes.EMPTY, operand, Bytes.EMPTY);
  }

  public static Compare lease(Bytes key, Result result, long operand) {
    return new Compare(result, Target.LEASE, key, Bytes.EMPTY, operand, Bytes.EMPTY);
  }

  public static Compare value(Bytes key, Result result, Bytes operand) {
    return new Compare(result, Target.VALUE, key, Bytes.EMPTY, 0, operand);
  }

  /// The keys it is about.
  public KeyRange keys() {
    return KeyRange.decode(key, rangeEnd);
  }

  /// The same guard over every key of `[key, rangeEnd)`.
  public Compare over(Bytes rangeEnd) {
    return new Compare(result, target, key, rangeEnd, number, value);
  }
}
