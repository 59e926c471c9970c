package dev.kvorum.state;

/// One replicated request with its header: what the data of a normal log entry says.
public record Proposal(RequestHeader header, Request request) {}
