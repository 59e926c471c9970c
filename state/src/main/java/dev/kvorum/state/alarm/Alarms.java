package dev.kvorum.state.alarm;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.kvorum.api.ProtoWriter;
import dev.kvorum.env.Bytes;
import dev.kvorum.state.UnappliableException;
import dev.kvorum.state.backend.Backend;
import dev.kvorum.state.backend.BucketName;
import dev.kvorum.state.backend.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;

/// The raised alarms: in memory, and as keys without values in the `alarm` bucket (`backend-schema.md` §5).
///
/// Owned by the apply loop.
public final class Alarms {
  private static final Comparator<AlarmMember> ORDER =
      Comparator.comparingInt((AlarmMember alarm) -> alarm.type().number())
          .thenComparing(AlarmMember::memberId, Long::compareUnsigned);

  private final TreeSet<AlarmMember> raised = new TreeSet<>(ORDER);

  private Alarms() {}

  /// @throws UnappliableException when the bucket holds what is no alarm
  public static Alarms load(Backend backend) throws IOException {
    Alarms alarms = new Alarms();
    List<Bytes> keys = new ArrayList<>();
    backend.forEach(BucketName.ALARM, (key, _) -> keys.add(key));
    for (Bytes key : keys) {
      alarms.raised.add(decode(key));
    }
    return alarms;
  }

  /// Raises an alarm; one that is raised already stays as it is and costs no write. `NONE` is for the caller to ignore.
  public AlarmMember activate(WriteBatch batch, long memberId, AlarmType type) {
    AlarmMember alarm = new AlarmMember(memberId, type);
    if (raised.add(alarm)) {
      batch.put(BucketName.ALARM, encode(alarm), Bytes.EMPTY);
    }
    return alarm;
  }

  /// @return false when exactly this alarm was not raised
  public boolean deactivate(WriteBatch batch, long memberId, AlarmType type) {
    AlarmMember alarm = new AlarmMember(memberId, type);
    if (!raised.remove(alarm)) {
      return false;
    }
    batch.delete(BucketName.ALARM, encode(alarm));
    return true;
  }

  /// Those of one type, or all for `NONE`; by type, then member.
  public List<AlarmMember> get(AlarmType type) {
    return type.equals(AlarmType.NONE)
        ? List.copyOf(raised)
        : raised.stream().filter(alarm -> alarm.type().equals(type)).toList();
  }

  public boolean anyRaised() {
    return !raised.isEmpty();
  }

  public boolean isRaised(AlarmType type) {
    // A handful at most, so no index.
    for (AlarmMember alarm : raised) {
      if (alarm.type().equals(type)) {
        return true;
      }
    }
    return false;
  }

  static Bytes encode(AlarmMember alarm) {
    ProtoWriter out = new ProtoWriter(16);
    out.number(1, alarm.memberId());
    out.number(2, alarm.type().number());
    return Bytes.wrap(out.toByteArray());
  }

  private static AlarmMember decode(Bytes key) throws UnappliableException {
    try {
      var alarm = dev.kvorum.api.etcdserverpb.AlarmMember.parseFrom(key.array());
      return new AlarmMember(alarm.getMemberID(), new AlarmType(alarm.getAlarmValue()));
    } catch (InvalidProtocolBufferException e) {
      throw new UnappliableException("the alarm bucket holds what is no alarm: " + key, e);
    }
  }
}
