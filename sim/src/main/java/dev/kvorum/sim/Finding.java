package dev.kvorum.sim;

/// A judge has found something: the run ends.
///
/// @param judge who, by the name of the promise that was broken
public record Finding(String judge, String message) {
  /// Thrown where a strand finds it; the run's top records it.
  public static final class Found extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final transient Finding finding;

    public Found(String judge, String message) {
      super(judge + ": " + message);
      this.finding = new Finding(judge, message);
    }

    public Finding finding() {
      return finding;
    }
  }
}
