package dev.kvorum.member;

import java.io.IOException;

/// The disk failed under a loop: what must be durable may not be. It ends the loop, and with it the member.
final class DiskFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  DiskFailure(String doing, IOException cause) {
    super(doing + ": " + cause.getMessage(), cause);
  }
}
