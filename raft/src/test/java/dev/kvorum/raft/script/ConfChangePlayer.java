package dev.kvorum.raft.script;

import dev.kvorum.raft.confchange.ConfChangeRefusedException;
import dev.kvorum.raft.confchange.ConfChanger;
import dev.kvorum.raft.tracker.ProgressTracker;

/// Plays files about configuration changes alone.
final class ConfChangePlayer implements Script.Player {
  private final ProgressTracker tracker = new ProgressTracker(10, 0);
  private long lastIndex;

  @Override
  public String play(Directive directive) {
    try {
      ConfChanger changer = new ConfChanger(tracker, lastIndex);
      switch (directive.command()) {
        case "simple" -> changer.simple(ConfChangeTokens.parse(directive.input()));
        case "enter-joint" ->
            changer.enterJoint(directive.flag("autoleave"), ConfChangeTokens.parse(directive.input()));
        case "leave-joint" -> {
          if (!directive.input().isEmpty()) {
            return "this command takes no input\n";
          }
          changer.leaveJoint();
        }
        default -> {
          return "unknown command";
        }
      }
      tracker.switchTo(changer.configuration(), changer.members());
      tracker.checkInvariants();
    } catch (ConfChangeRefusedException | IllegalArgumentException refused) {
      return refused.getMessage() + "\n";
    } finally {
      lastIndex++;
    }
    StringBuilder text = new StringBuilder().append(tracker.configuration()).append('\n');
    tracker.views().forEach((id, view) -> text.append(id).append(": ").append(view).append('\n'));
    return text.toString();
  }
}
