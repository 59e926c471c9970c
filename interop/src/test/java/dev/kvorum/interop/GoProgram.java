package dev.kvorum.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The `go` command, and running it in our Go module.
record GoProgram(Path executable) {

  /// What a finished run has shown.
  record Result(int status, List<String> lines) {
    String text() {
      return String.join("\n", lines);
    }
  }

  /// Looks in `PATH`, then where Go's own archive installs itself.
  static Optional<GoProgram> find() {
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Stream.concat(Stream.of(path.split(":")), Stream.of("/usr/local/go/bin", "/usr/lib/go/bin"))
        .filter(directory -> !directory.isEmpty())
        .map(directory -> Path.of(directory, "go"))
        .filter(Files::isExecutable)
        .findFirst()
        .map(GoProgram::new);
  }

  /// Runs `go` to its end. Lines that `echo` accepts are shown while it runs.
  Result run(Predicate<String> echo, String... arguments) throws IOException, InterruptedException {
    List<String> commandLine = new ArrayList<>(List.of(executable.toString()));
    commandLine.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(commandLine).directory(Repository.goModule().toFile());
    // the Go tests build the real programs with "go" from PATH
    builder.environment().merge("PATH", executable.getParent().toString(), (path, go) -> path + ":" + go);
    Process process = builder.redirectErrorStream(true).start();
    process.getOutputStream().close();
    List<String> lines = new ArrayList<>();
    try (BufferedReader output = process.inputReader()) {
      for (String line; (line = output.readLine()) != null; ) {
        lines.add(line);
        if (echo.test(line)) {
          System.out.println(line);
        }
      }
    } finally {
      process.destroy(); // only if reading has failed: at the end of its output it is ending anyway
    }
    return new Result(process.waitFor(), lines);
  }
}
