package dev.kvorum.server.config;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;

/// How the text of one flag is read, and what it becomes.
///
/// The value's Java type is fixed per constant: `Boolean`, `Long` (whole numbers and nanoseconds), `String`, or a
/// `List` of [GoUrl] or `String`.
enum FlagType {
  STRING("string"),
  BOOL("bool"),
  INT("int"),
  INT64("int64"),
  UINT("uint"),
  UINT32("uint32"),
  UINT64("uint64"),
  /// Nanoseconds; in a configuration file a bare number of them.
  DURATION("time.Duration"),
  /// Sorted, each once; the empty text leaves the default.
  URLS("string"),
  /// As URLS, but the single word `*` is allowed and the empty text is not.
  ORIGINS("string"),
  /// A comma list, sorted, each once.
  SET("[]string"),
  /// A comma list in its own order.
  LIST("[]string"),
  /// `new` or `existing`.
  CLUSTER_STATE("string"),
  /// `exit` or `proxy`.
  FALLBACK("string"),
  /// The phases left of a v2 store's end.
  V2_DEPRECATION("string"),
  /// `Name=true,Other=false`; kept as text, checked by [FeatureGates].
  GATES("string"),
  /// Once meant something; any value is taken and forgotten.
  IGNORED("bool");

  static final BigInteger UINT64_MAX = BigInteger.TWO.pow(64).subtract(BigInteger.ONE);
  static final BigInteger UINT32_MAX = BigInteger.TWO.pow(32).subtract(BigInteger.ONE);
  static final BigInteger INT64_MAX = BigInteger.valueOf(Long.MAX_VALUE);
  static final BigInteger INT64_MIN = BigInteger.valueOf(Long.MIN_VALUE);

  private static final List<String> V2_PHASES =
      List.of("write-only", "write-only-skip-check", "write-only-drop-data", "gone");

  private final String goName;

  FlagType(String goName) {
    this.goName = goName;
  }

  /// What etcd's messages call this type.
  String goName() {
    return goName;
  }

  /// True when the flag may stand alone and takes a value only behind `=`.
  boolean standsAlone() {
    return this == BOOL || this == IGNORED;
  }

  boolean isNumber() {
    return switch (this) {
      case INT, INT64, UINT, UINT32, UINT64 -> true;
      default -> false;
    };
  }

  /// The smallest value of a number type.
  BigInteger min() {
    return this == INT || this == INT64 ? INT64_MIN : BigInteger.ZERO;
  }

  /// The largest value of a number type.
  BigInteger max() {
    return switch (this) {
      case INT, INT64 -> INT64_MAX;
      case UINT32 -> UINT32_MAX;
      default -> UINT64_MAX;
    };
  }

  /// @param before the value so far, which some types keep when the text is empty
  /// @throws ValueException with etcd's reason, such as `parse error`
  Object parse(String text, Object before) throws ValueException {
    return switch (this) {
      case STRING -> text;
      case GATES -> {
        FeatureGates.parse(text);
        yield text;
      }
      case BOOL -> GoText.parseBool(text);
      case IGNORED -> Boolean.TRUE;
      case INT, INT64, UINT, UINT64, UINT32 -> parseNumber(text);
      case DURATION -> parseDuration(text);
      case URLS -> text.isEmpty() ? before : GoUrl.parseList(text);
      case ORIGINS -> text.equals("*") ? List.of("*") : GoUrl.texts(GoUrl.parseList(text));
      case SET -> text.isEmpty() ? List.of() : List.copyOf(new TreeSet<>(split(text)));
      case LIST -> text.isEmpty() ? List.of() : split(text);
      case CLUSTER_STATE -> oneOf(List.of("new", "existing"), text, "invalid value");
      case FALLBACK -> oneOf(List.of("exit", "proxy"), text, "invalid value");
      case V2_DEPRECATION -> oneOf(V2_PHASES, text, "invalid value " + GoText.quote(text));
    };
  }

  private static List<String> split(String text) {
    return List.copyOf(new ArrayList<>(Arrays.asList(text.split(",", -1))));
  }

  private static String oneOf(List<String> allowed, String text, String otherwise) throws ValueException {
    if (!allowed.contains(text)) {
      throw new ValueException(otherwise);
    }
    return text;
  }

  private static long parseDuration(String text) throws ValueException {
    try {
      return GoDuration.parse(text);
    } catch (ValueException anyReason) {
      throw new ValueException("parse error");
    }
  }

  private long parseNumber(String text) throws ValueException {
    BigInteger value = GoText.parseInteger(text, min().signum() < 0);
    if (value == null) {
      throw numberFailure(text, "invalid syntax", "parse error");
    }
    if (value.compareTo(min()) < 0 || value.compareTo(max()) > 0) {
      throw numberFailure(text, "value out of range", "value out of range");
    }
    return value.longValue();
  }

  /// The one 32-bit flag says why in other words than the rest.
  private ValueException numberFailure(String text, String reason32, String reason) {
    return new ValueException(
        this == UINT32 ? "strconv.ParseUint: parsing " + GoText.quote(text) + ": " + reason32 : reason);
  }
}
