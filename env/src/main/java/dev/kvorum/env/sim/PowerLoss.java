package dev.kvorum.env.sim;

import java.io.IOException;

/// The power is gone: what was under way may or may not have happened.
public final class PowerLoss extends IOException {
  private static final long serialVersionUID = 1L;

  PowerLoss() {
    super("power lost");
  }
}
