package dev.kvorum.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvorum.member.MemoryBudget;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import org.junit.jupiter.api.Test;

class HttpBookingTest {
  private final MemoryBudget memory = new MemoryBudget(1_000);
  private final EmbeddedChannel channel = new EmbeddedChannel(new HttpBooking(memory));

  private void content(int bytes) {
    channel.writeInbound(new DefaultHttpContent(Unpooled.wrappedBuffer(new byte[bytes])));
  }

  @Test
  void aBodyIsBookedUntilItIsAnswered() {
    content(600);
    content(300);
    assertThat(memory.usedBytes()).isEqualTo(900);
    channel.writeOutbound(new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK));
    assertThat(memory.usedBytes()).isZero();
    channel.finishAndReleaseAll();
  }

  @Test
  void aBodyThatFindsNoRoomIsRefusedAndTheConnectionClosed() {
    content(600);
    content(600);
    HttpResponse answer = channel.readOutbound();
    assertThat(answer.status()).isEqualTo(HttpResponseStatus.SERVICE_UNAVAILABLE);
    assertThat(channel.isOpen()).isFalse();
    assertThat(memory.usedBytes()).isZero();
    channel.finishAndReleaseAll();
  }

  @Test
  void aConnectionThatGoesGivesBackWhatItHeld() {
    content(600);
    channel.close();
    assertThat(memory.usedBytes()).isZero();
    channel.finishAndReleaseAll();
  }
}
