package dev.kvorum.wal;

import static dev.kvorum.wal.RaftCodecTest.anyLong;
import static dev.kvorum.wal.RaftCodecTest.hex;
import static dev.kvorum.wal.RaftCodecTest.randomBytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvorum.api.WireFormatException;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.Message;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MessageCodecTest {
  private static final long A = 0x1fe5fea60ea7a394L;
  private static final long B = 0x2bb1d0f680a7b5c5L;
  private static final String TO_A = "1094c79ef5e0d4fff21f";
  private static final String FROM_B = "18c5eb9e85e89ef4d82b";

  @Test
  void heartbeatLooksAsEtcdSendsIt() throws Exception {
    Message heartbeat = new Message.Heartbeat(A, B, 2, 6, Bytes.EMPTY);
    assertThat(hex(MessageCodec.encode(heartbeat))).isEqualTo("0808" + TO_A + FROM_B + "20024006");
    Message reading = new Message.Heartbeat(A, B, 2, 6, Bytes.wrap(hex("0100000000000000")));
    assertThat(hex(MessageCodec.encode(reading)))
        .isEqualTo("0808" + TO_A + FROM_B + "20024006" + "62080100000000000000");
    assertThat(MessageCodec.decode(MessageCodec.encode(reading))).isEqualTo(reading);
  }

  @Test
  void heartbeatOfOlderMembersReadsTheSame() throws Exception {
    byte[] old = hex("0808" + TO_A + FROM_B + "2002 2800 3000 4006 4a0a 12080a022800 1000 1800 5000 5800");
    assertThat(MessageCodec.decode(old)).isEqualTo(new Message.Heartbeat(A, B, 2, 6, Bytes.EMPTY));
  }

  @Test
  void responsesLookAsEtcdSendsThem() {
    assertThat(hex(MessageCodec.encode(new Message.HeartbeatResponse(B, A, 2, Bytes.EMPTY))))
        .isEqualTo("080910c5eb9e85e89ef4d82b1894c79ef5e0d4fff21f2002");
    assertThat(hex(MessageCodec.encode(new Message.AppendResponse(B, A, 2, 7, false, 0, 0))))
        .isEqualTo("080410c5eb9e85e89ef4d82b1894c79ef5e0d4fff21f20023007");
  }

  @Test
  void linkHeartbeatIsTwoBytesAndReadsFromBothGenerations() throws Exception {
    assertThat(hex(MessageCodec.encode(MessageCodec.LINK_HEARTBEAT))).isEqualTo("0808");
    assertThat(MessageCodec.decode(hex("0808"))).isEqualTo(MessageCodec.LINK_HEARTBEAT);
    assertThat(MessageCodec.decode(hex("0808 1000 1800 2000 2800 3000 4000 4a0a12080a022800 1000 1800 5000 5800")))
        .isEqualTo(MessageCodec.LINK_HEARTBEAT);
  }

  @Test
  void appendSaysItsZeros() throws Exception {
    Message append = new Message.Append(A, B, 2, 0, 0, List.of(), 0);
    assertThat(hex(MessageCodec.encode(append))).isEqualTo("0803" + TO_A + FROM_B + "2002" + "2800" + "3000" + "4000");
    byte[] old =
        hex("0803" + TO_A + FROM_B + "2002 2801 3002 3a06080010021803 4002 4a0a12080a022800 1000 1800 5000 5800");
    assertThat(MessageCodec.decode(old))
        .isEqualTo(new Message.Append(A, B, 2, 1, 2, List.of(Entry.normal(2, 3, Bytes.EMPTY)), 2));
  }

  @Test
  void readIndexCarriesItsContextAsAnEntry() throws Exception {
    Message read = new Message.ReadIndex(A, B, Bytes.utf8("r"));
    assertThat(hex(MessageCodec.encode(read))).isEqualTo("080f" + TO_A + FROM_B + "3a03220172");
    assertThat(MessageCodec.decode(MessageCodec.encode(read))).isEqualTo(read);
  }

  @Test
  void everyMessageThatTravelsSurvivesTheTrip() throws Exception {
    SplittableRandom random = Seeds.random("everyMessageThatTravelsSurvivesTheTrip");
    for (int round = 0; round < 500; round++) {
      for (Message message : randomMessages(random)) {
        byte[] bytes = MessageCodec.encode(message);
        assertThat(MessageCodec.decode(bytes)).isEqualTo(message);
        var proto = dev.kvorum.api.raftpb.Message.parseFrom(bytes);
        assertThat(proto.getTo()).isEqualTo(message.to());
        assertThat(proto.getFrom()).isEqualTo(message.from());
        assertThat(proto.getTerm()).isEqualTo(message.term());
        assertThat(proto.toByteArray()).isEqualTo(bytes);
      }
    }
  }

  private static List<Message> randomMessages(SplittableRandom r) {
    long to = anyLong(r) | 1;
    long from = anyLong(r) | 1;
    long term = anyLong(r);
    List<Entry> entries = List.of(RaftCodecTest.randomEntry(r), RaftCodecTest.randomEntry(r));
    return List.of(
        new Message.Propose(to, from, entries),
        new Message.Append(to, from, term, anyLong(r), anyLong(r), entries, anyLong(r)),
        new Message.AppendResponse(to, from, term, anyLong(r), true, anyLong(r), anyLong(r)),
        new Message.AppendResponse(to, from, term, 0, true, 0, 0),
        new Message.AppendResponse(to, from, term, anyLong(r), false, 0, 0),
        new Message.Vote(to, from, term, anyLong(r), anyLong(r), Bytes.utf8("CampaignTransfer")),
        new Message.VoteResponse(to, from, term, r.nextBoolean()),
        new Message.InstallSnapshot(to, from, term, RaftCodecTest.randomSnapshot(r)),
        new Message.Heartbeat(to, from, term, anyLong(r), randomBytes(r)),
        new Message.HeartbeatResponse(to, from, term, randomBytes(r)),
        new Message.TransferLeader(to, from, term),
        new Message.TimeoutNow(to, from, term),
        new Message.ReadIndex(to, from, randomBytes(r)),
        new Message.ReadIndexResponse(to, from, term, anyLong(r), randomBytes(r)),
        new Message.PreVote(to, from, term, anyLong(r), anyLong(r), Bytes.EMPTY),
        new Message.PreVoteResponse(to, from, term, r.nextBoolean()));
  }

  @Test
  void localMessagesDoNotTravel() {
    assertThatExceptionOfType(InvariantViolation.class)
        .isThrownBy(() -> MessageCodec.encode(new Message.Hup(A, A)));
    for (String type : List.of("0800", "0801", "080a", "080b", "080c", "0813", "0817", "0818", "08ffffffff0f")) {
      assertThatExceptionOfType(WireFormatException.class).as(type).isThrownBy(() -> MessageCodec.decode(hex(type)));
    }
  }
}
