package dev.kvorum.raft.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.raft.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.openjdk.jmh.infra.Blackhole;

/// Plays what the benchmarks measure once, so that it goes on doing what its figures are said to be of.
class ScriptsTest {
  private static final int ENTRIES = 5_760;

  static Stream<Arguments> scripts() {
    return Stream.of(1, 3, 5)
        .flatMap(members -> Stream.of(1, 64).map(batch -> List.of(members, batch)))
        .flatMap(
            of -> Stream.of(true, false).map(asynchronous -> Arguments.of(of.get(0), of.get(1), asynchronous)));
  }

  @ParameterizedTest
  @MethodSource("scripts")
  void aLeaderSendsEachFollowerTheEntriesOfABatchAndThenItsCommit(int members, int batch, boolean asynchronous) {
    LeaderScript script = new LeaderScript(members, asynchronous, ENTRIES, batch, 256);
    DrivenNode leader = script.elected();
    List<Message> sent = new ArrayList<>();
    assertThat(script.play(leader, sent::add)).isEqualTo(1 + ENTRIES);
    assertThat(sent).hasSize(ENTRIES / batch * (members - 1) * 2);
    long carried = sent.stream().mapToLong(message -> ((Message.Append) message).entries().size()).sum();
    assertThat(carried).as("each entry once to each follower").isEqualTo((long) ENTRIES * (members - 1));
    assertThat(leader.keptEntries()).isBetween(5_000L, 5_200L);
  }

  @ParameterizedTest
  @MethodSource("scripts")
  void aFollowerAcknowledgesABatchAndThenItsCommit(int members, int batch, boolean asynchronous) {
    FollowerScript script = new FollowerScript(members, asynchronous, ENTRIES, batch, 256);
    DrivenNode follower = script.following();
    List<Message> sent = new ArrayList<>();
    assertThat(script.play(follower, sent::add)).isEqualTo(1 + ENTRIES);
    assertThat(sent).hasSize(ENTRIES / batch * 2);
    assertThat(follower.keptEntries()).isBetween(5_000L, 5_200L);
  }

  @Test
  void theBenchmarksPlayThem() {
    Blackhole network =
        new Blackhole("Today's password is swordfish. I understand instantiating Blackholes directly is dangerous.");
    LeaderBenchmark leading = new LeaderBenchmark();
    leading.members = 3;
    leading.batch = 64;
    leading.asynchronous = true;
    leading.write();
    leading.elect();
    assertThat(leading.leader(network)).isEqualTo(1 + LeaderBenchmark.ENTRIES);
    FollowerBenchmark following = new FollowerBenchmark();
    following.members = 3;
    following.batch = 64;
    following.asynchronous = true;
    following.write();
    following.follow();
    assertThat(following.follower(network)).isEqualTo(1 + LeaderBenchmark.ENTRIES);
  }
}
