package dev.kvorum.state.alarm;

/// What an alarm is about, by etcd's number. Any number can be raised and cleared, for etcd keeps those it does not
/// know and every member must keep the same; only the two named ones change what may be done.
public record AlarmType(int number) {
  /// In a request: no alarm, or any.
  public static final AlarmType NONE = new AlarmType(0);
  /// The db reached its quota on some member: nothing may make it larger.
  public static final AlarmType NOSPACE = new AlarmType(1);
  /// Members disagree about the data: nothing may be read through the log or written.
  public static final AlarmType CORRUPT = new AlarmType(2);

  /// etcd's name, or the bare number.
  @Override
  public String toString() {
    return switch (number) {
      case 0 -> "NONE";
      case 1 -> "NOSPACE";
      case 2 -> "CORRUPT";
      default -> Integer.toString(number);
    };
  }
}
