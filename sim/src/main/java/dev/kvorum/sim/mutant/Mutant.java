package dev.kvorum.sim.mutant;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/// A seeded defect: what is wrong, and which lines say so.
///
/// @param about in one sentence, with the rule it breaks or the bug it was
/// @param rarity how soon the simulator finds it
record Mutant(String name, String about, Rarity rarity, List<Edit> edits) {
  enum Rarity {
    /// Within some two dozen seeds: fit for every build.
    QUICK,
    USUAL,
    /// Not yet: a test shows the defect, and no story so far.
    OPEN
  }

  /// From the root of the sources.
  static final String LIST = "sim/mutants.txt";

  private static final Map<String, Rarity> MARKS = Map.of("(quick)", Rarity.QUICK, "(open)", Rarity.OPEN);

  /// Lines of one file that others take the place of. They occur exactly once; indentation does not count.
  ///
  /// @param file from the root of the sources
  record Edit(String file, List<String> old, List<String> replacement) {}

  /// The list at `file`, whose head tells its grammar.
  ///
  /// @throws IllegalArgumentException with the line that it does not understand
  static List<Mutant> read(Path file) throws IOException {
    List<Mutant> mutants = new ArrayList<>();
    int number = 0;
    for (String line : Files.readAllLines(file)) {
      number++;
      String rest = line.length() > 2 ? line.substring(2).strip() : "";
      if (line.startsWith("mutant ")) {
        String[] words = line.substring(7).strip().split(" ");
        Rarity rarity = words.length == 1 ? Rarity.USUAL : MARKS.get(words[1]);
        if (rarity == null) {
          throw new IllegalArgumentException(file + ":" + number + ": " + words[1] + " is no mark");
        }
        mutants.add(new Mutant(words[0], "", rarity, new ArrayList<>()));
      } else if (line.isBlank() || line.startsWith("#")) {
        continue;
      } else if (mutants.isEmpty()) {
        throw new IllegalArgumentException(file + ":" + number + ": a mutant's name is missing");
      } else if (line.startsWith(": ")) {
        Mutant last = mutants.removeLast();
        mutants.add(new Mutant(last.name, rest, last.rarity, last.edits));
      } else if (line.startsWith("in ")) {
        mutants.getLast().edits.add(new Edit(line.substring(3).strip(), new ArrayList<>(), new ArrayList<>()));
      } else if (line.startsWith("< ") && !mutants.getLast().edits.isEmpty()) {
        mutants.getLast().edits.getLast().old.add(rest);
      } else if (line.startsWith("> ") && !mutants.getLast().edits.isEmpty()) {
        mutants.getLast().edits.getLast().replacement.add(rest);
      } else {
        throw new IllegalArgumentException(file + ":" + number + ": " + line);
      }
    }
    TreeSet<String> names = new TreeSet<>();
    for (Mutant mutant : mutants) {
      if (mutant.about.isEmpty() || mutant.edits.isEmpty() || !names.add(mutant.name)) {
        throw new IllegalArgumentException(file + ": " + mutant.name + " says nothing, changes nothing or is there twice");
      }
    }
    return List.copyOf(mutants);
  }

  /// The files it changes, as they read then.
  ///
  /// @param root of the sources
  /// @throws IllegalArgumentException when lines are not there, or not once: the sources have moved on
  Map<String, String> plant(Path root) throws IOException {
    Map<String, String> changed = new LinkedHashMap<>();
    for (Edit edit : edits) {
      String source = changed.get(edit.file);
      changed.put(edit.file, plant(edit, source == null ? Files.readString(root.resolve(edit.file)) : source));
    }
    return changed;
  }

  private String plant(Edit edit, String source) {
    List<String> lines = new ArrayList<>(source.lines().toList());
    List<String> stripped = lines.stream().map(String::strip).toList();
    int at = Collections.indexOfSubList(stripped, edit.old);
    if (at < 0 || edit.old.isEmpty() || Collections.lastIndexOfSubList(stripped, edit.old) != at) {
      throw new IllegalArgumentException(name + ": not once in " + edit.file + ": " + edit.old);
    }
    lines.subList(at, at + edit.old.size()).clear();
    lines.addAll(at, edit.replacement);
    return String.join("\n", lines) + "\n";
  }
}
