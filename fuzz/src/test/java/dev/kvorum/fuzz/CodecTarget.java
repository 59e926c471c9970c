package dev.kvorum.fuzz;

import dev.kvorum.api.WireFormatException;
import dev.kvorum.env.Bytes;
import dev.kvorum.env.InvariantViolation;
import dev.kvorum.raft.ConfChange;
import dev.kvorum.raft.ConfChangeCodec;
import dev.kvorum.raft.ConfState;
import dev.kvorum.raft.Entry;
import dev.kvorum.raft.HardState;
import dev.kvorum.raft.Message;
import dev.kvorum.raft.Snapshot;
import dev.kvorum.state.Proposal;
import dev.kvorum.state.Request;
import dev.kvorum.state.RequestCodec;
import dev.kvorum.state.RequestHeader;
import dev.kvorum.state.keys.StoredKv;
import dev.kvorum.state.membership.Member;
import dev.kvorum.state.membership.MemberJson;
import dev.kvorum.state.membership.StoredConfState;
import dev.kvorum.state.schema.Version;
import dev.kvorum.wal.MessageCodec;
import dev.kvorum.wal.RaftCodec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Decoders of messages and stored records. The first byte picks one. What decodes, encodes; and what that encodes to,
/// decodes to the same.
final class CodecTarget implements Target {
  private static final List<Codec<?>> CODECS = List.of(
      new Codec<Entry>(RaftCodec::decodeEntry, RaftCodec::encode),
      new Codec<HardState>(RaftCodec::decodeHardState, RaftCodec::encode),
      new Codec<ConfState>(RaftCodec::decodeConfState, RaftCodec::encode),
      new Codec<Snapshot>(RaftCodec::decodeSnapshot, RaftCodec::encode),
      new Codec<Message>(MessageCodec::decode, MessageCodec::encode),
      new Codec<Proposal>(RequestCodec::decode, CodecTarget::encode),
      new Codec<Proposal>(bytes -> anonymous(RequestCodec.decodeRange(bytes)), CodecTarget::encode),
      new Codec<Proposal>(bytes -> anonymous(RequestCodec.decodePut(bytes)), CodecTarget::encode),
      new Codec<Proposal>(bytes -> anonymous(RequestCodec.decodeDeleteRange(bytes)), CodecTarget::encode),
      new Codec<Proposal>(bytes -> anonymous(RequestCodec.decodeTxn(bytes)), CodecTarget::encode),
      new Codec<ConfChange>(bytes -> change(bytes, false), change -> ConfChangeCodec.encode(change).array()),
      new Codec<ConfChange>(bytes -> change(bytes, true), change -> ConfChangeCodec.encode(change).array()),
      new Codec<StoredKv>(CodecTarget::stored, kv -> StoredKv.encode(kv.key().array(), kv.createRevision(),
          kv.modRevision(), kv.version(), kv.value().array(), kv.lease())),
      new Codec<Member>(bytes -> MemberJson.decode(text(bytes)), member -> bytes(MemberJson.encode(member))),
      new Codec<StoredConfState>(bytes -> StoredConfState.ofJson(text(bytes)), state -> bytes(state.toJson())),
      new Codec<Version>(CodecTarget::version, version -> bytes(version.toString())));

  private interface Decoder<T> {
    T decode(byte[] bytes) throws IOException;
  }

  private interface Encoder<T> {
    byte[] encode(T value);
  }

  private record Codec<T>(Decoder<T> decoder, Encoder<T> encoder) {
    /// The codec that reads what this one writes, where that is another.
    void roundTrip(byte[] bytes) throws IOException {
      T value = decoder.decode(bytes);
      byte[] once = encoder.encode(value);
      T again;
      try {
        again = value instanceof Proposal ? same(RequestCodec.decode(once)) : decoder.decode(once);
      } catch (IOException e) {
        throw new AssertionError("what was encoded does not decode: " + value, e);
      }
      // Some have no equality of their own: what they encode to is compared as well.
      if (!Arrays.equals(once, encoder.encode(again))) {
        throw new AssertionError("what was encoded decodes to something else: " + value + ", " + again);
      }
    }

    @SuppressWarnings("unchecked")
    private T same(Proposal proposal) {
      return (T) proposal;
    }
  }

  private static byte[] encode(Proposal proposal) {
    return RequestCodec.encode(proposal.header(), proposal.request());
  }

  private static Proposal anonymous(Request request) {
    return new Proposal(RequestHeader.of(1), request);
  }

  private static ConfChange change(byte[] bytes, boolean second) throws IOException {
    try {
      return second ? ConfChangeCodec.decodeV2(Bytes.wrap(bytes)) : ConfChangeCodec.decodeV1(Bytes.wrap(bytes));
    } catch (IllegalArgumentException refused) {
      throw new WireFormatException(refused.getMessage());
    }
  }

  /// By its contract a record that does not parse violates an invariant; whoever reads files sees to that.
  private static StoredKv stored(byte[] bytes) throws IOException {
    try {
      return StoredKv.decode(bytes);
    } catch (InvariantViolation refused) {
      throw new WireFormatException(refused.getMessage());
    }
  }

  private static Version version(byte[] bytes) throws IOException {
    Version version = Version.parse(text(bytes));
    if (version == null) {
      throw new WireFormatException("no version");
    }
    return version;
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public int inputBytesMax() {
    return 4096;
  }

  @Override
  public List<byte[]> seeds() throws IOException {
    List<byte[]> seeds = new ArrayList<>();
    List<Entry> entries = List.of(
        Entry.normal(3, 9, Bytes.utf8("data")), Entry.normal(300, 1L << 40, Bytes.EMPTY));
    ConfState state = new ConfState(List.of(1L, -1L), List.of(7L), List.of(1L), List.of(2L), true);
    Snapshot snapshot = new Snapshot(Bytes.utf8("{}"), state, 12, 3);
    seed(seeds, 0, RaftCodec.encode(entries.getFirst()));
    seed(seeds, 1, RaftCodec.encode(new HardState(3, -7, 99)));
    seed(seeds, 2, RaftCodec.encode(state));
    seed(seeds, 3, RaftCodec.encode(snapshot));
    for (Message message : List.of(
        new Message.Append(1, 2, 3, 4, 5, entries, 6), new Message.InstallSnapshot(1, 2, 3, snapshot),
        new Message.AppendResponse(1, 2, 3, 4, true, 5, 6), new Message.Vote(1, 2, 3, 4, 5, Bytes.utf8("CampaignTransfer")),
        new Message.Heartbeat(1, 2, 3, 4, Bytes.utf8("12345678")), new Message.Propose(1, 2, entries),
        new Message.ReadIndex(1, 2, Bytes.utf8("context")))) {
      seed(seeds, 4, MessageCodec.encode(message));
    }
    for (Request request : Requests.all()) {
      byte[] proposal = RequestCodec.encode(RequestHeader.of(77), request);
      seed(seeds, 5, proposal);
      seed(seeds, 6 + seeds.size() % 4, Arrays.copyOfRange(proposal, Math.min(2, proposal.length), proposal.length));
    }
    for (ConfChange change : List.of(
        new ConfChange.V1(5, ConfChange.Type.values()[0], 9, Bytes.utf8("{\"id\":9}")),
        new ConfChange.V2(ConfChange.Transition.values()[1],
            List.of(new ConfChange.Single(ConfChange.Type.values()[2], 4)), Bytes.EMPTY))) {
      seed(seeds, change instanceof ConfChange.V1 ? 10 : 11, ConfChangeCodec.encode(change).array());
    }
    seed(seeds, 12, StoredKv.encode(bytes("key"), 2, 5, 3, bytes("value"), 8));
    seed(seeds, 13, bytes(MemberJson.encode(
        new Member(99, List.of("http://a:1"), true, "n\"\u00e9", List.of("http://b:2", "http://c")))));
    seed(seeds, 14, bytes("{\"voters\":[10276657743932975437,1],\"learners\":[3],\"auto_leave\":true}"));
    seed(seeds, 15, bytes("3.7.0-rc.1+x"));
    return seeds;
  }

  private static void seed(List<byte[]> seeds, int codec, byte[] bytes) {
    byte[] seed = new byte[1 + bytes.length];
    seed[0] = (byte) codec;
    System.arraycopy(bytes, 0, seed, 1, bytes.length);
    seeds.add(seed);
  }

  @Override
  public void run(byte[] input) throws IOException {
    if (input.length > 0) {
      CODECS.get((input[0] & 0xFF) % CODECS.size()).roundTrip(Arrays.copyOfRange(input, 1, input.length));
    }
  }
}
