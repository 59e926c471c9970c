package dev.kvorum.sim.client;

import dev.kvorum.api.etcdserverpb.WatchResponse;
import dev.kvorum.env.Bytes;
import java.util.ArrayList;
import java.util.List;

/// One watcher over all its streams, and all it was told.
public final class Watching {
  private final String name;
  private final Bytes key;
  private final Bytes end;
  private final boolean prevKv;
  private final boolean noPut;
  private final boolean noDelete;
  private final boolean fragment;
  private final List<Stream> streams = new ArrayList<>();
  /// What it asks for next; 0 until it has heard where "now" is.
  long next;

  /// One stream: where it was asked to begin, and what came.
  public static final class Stream {
    final String member;
    final long from;
    final List<WatchResponse> responses = new ArrayList<>();

    Stream(String member, long from) {
      this.member = member;
      this.from = from;
    }

    /// Who told.
    public String member() {
      return member;
    }

    /// The revision asked for; 0 for "now".
    public long from() {
      return from;
    }

    public List<WatchResponse> responses() {
      return responses;
    }
  }

  Watching(
      String name, Bytes key, Bytes end, boolean prevKv, boolean noPut, boolean noDelete, boolean fragment, long next) {
    this.name = name;
    this.key = key;
    this.end = end;
    this.prevKv = prevKv;
    this.noPut = noPut;
    this.noDelete = noDelete;
    this.fragment = fragment;
    this.next = next;
  }

  public String name() {
    return name;
  }

  public Bytes key() {
    return key;
  }

  public Bytes end() {
    return end;
  }

  public boolean prevKv() {
    return prevKv;
  }

  public boolean noPut() {
    return noPut;
  }

  public boolean noDelete() {
    return noDelete;
  }

  public boolean fragment() {
    return fragment;
  }

  public List<Stream> streams() {
    return streams;
  }

  /// The revision up to which it has been told everything.
  public long toldUpTo() {
    return next - 1;
  }

  /// It sees every change of every key, or would, had it been told of all.
  boolean seesEverything() {
    return end.size() == 1 && end.at(0) == 0 && key.size() == 1 && key.at(0) == 0 && !noPut && !noDelete && prevKv;
  }
}
