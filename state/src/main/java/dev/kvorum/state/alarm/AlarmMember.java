package dev.kvorum.state.alarm;

/// One raised alarm.
///
/// @param memberId whom it is about; 0 when a corruption check found no majority to trust
public record AlarmMember(long memberId, AlarmType type) {}
