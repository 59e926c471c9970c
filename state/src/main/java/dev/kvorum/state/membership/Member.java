package dev.kvorum.state.membership;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// One member as all others know it.
///
/// @param id never 0; unsigned
/// @param peerUrls where the others reach it; null only inside a promotion's context, which names no URLs
/// @param name empty until the member has started and published itself
/// @param clientUrls empty until then
public record Member(
    long id, @Nullable List<String> peerUrls, boolean isLearner, String name, List<String> clientUrls) {
  public Member {
    peerUrls = peerUrls == null ? null : List.copyOf(peerUrls);
    clientUrls = List.copyOf(clientUrls);
  }

  /// A voter that has not started.
  public static Member voter(long id, List<String> peerUrls) {
    return new Member(id, peerUrls, false, "", List.of());
  }

  public static Member learner(long id, List<String> peerUrls) {
    return new Member(id, peerUrls, true, "", List.of());
  }

  /// The peer URLs; empty when there are none.
  public List<String> peerUrlsOrNone() {
    return peerUrls == null ? List.of() : peerUrls;
  }

  public boolean isStarted() {
    return !name.isEmpty();
  }

  public Member promoted() {
    return new Member(id, peerUrls, false, name, clientUrls);
  }

  public Member withPeerUrls(@Nullable List<String> urls) {
    return new Member(id, urls, isLearner, name, clientUrls);
  }

  public Member withAttributes(String newName, List<String> newClientUrls) {
    return new Member(id, peerUrls, isLearner, newName, newClientUrls);
  }
}
