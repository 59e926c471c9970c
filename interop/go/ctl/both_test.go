package ctl

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"kvorum.dev/interop/harness"
)

const commandTimeout = 60 * time.Second

// target is one server with what the commands have learnt about it.
type target struct {
	member *harness.Member
	dir    string            // for files the commands write
	values map[string]string // $NAME in arguments, masked in outputs
}

// both is the two servers the commands run against.
type both struct {
	t          *testing.T
	real, ours *target
	steps      int
}

func startBoth(t *testing.T, flags ...string) *both {
	start := func(m *harness.Member) *target {
		return &target{m, t.TempDir(), map[string]string{}}
	}
	b := &both{t: t, real: start(harness.StartReference(t, flags...)), ours: start(harness.StartSubject(t, flags...))}
	for _, side := range b.sides() { // the cluster version comes shortly after the start
		side.awaitOutput(t, []string{"endpoint", "status", "-w", "json"}, `"storageVersion":"3.7.0"`)
	}
	return b
}

func (b *both) sides() [2]*target { return [2]*target{b.real, b.ours} }

// step is one command line and how to treat its output.
type step struct {
	args    []string
	program string // default etcdctl
	stdin   string
	env     []string
	mask    []mask // beyond the common ones
	capture string // names the first group of this pattern found in stdout
	pattern string
}

func ctl(line string) step { return step{args: words(line)} }

func (s step) masking(m ...mask) step       { s.mask = append(s.mask, m...); return s }
func (s step) input(text string) step       { s.stdin = text; return s }
func (s step) environment(e ...string) step { s.env = e; return s }

// naming remembers what a pattern finds in the output under a name.
func (s step) naming(name, pattern string) step {
	s.capture, s.pattern = name, pattern
	return s
}

// words splits a command line at spaces; ” is an empty word and \x20 a space.
func words(line string) []string {
	fields := strings.Fields(line)
	for i, f := range fields {
		fields[i] = strings.ReplaceAll(strings.ReplaceAll(f, "''", ""), `\x20`, " ")
	}
	return fields
}

// expand fills $NAME, $DIR and the endpoint into a word.
func (x *target) expand(word string) string {
	word = strings.ReplaceAll(word, "$DIR", x.dir)
	word = strings.ReplaceAll(word, "$ENDPOINT", x.member.Endpoint())
	for name, value := range x.values {
		word = strings.ReplaceAll(word, "$"+name, value)
	}
	return word
}

func (x *target) commandLine(s step) []string {
	line := []string{harness.Tool("etcdctl")}
	if s.program != "" {
		line[0] = harness.Tool(s.program)
	} else if !hasEndpoints(s) {
		line = append(line, "--endpoints="+x.member.Endpoint())
	}
	for _, word := range s.args {
		line = append(line, x.expand(word))
	}
	return line
}

func hasEndpoints(s step) bool {
	return strings.Contains(strings.Join(append(s.args, s.env...), " "), "$ENDPOINT")
}

func (x *target) run(s step) harness.Outcome {
	var env []string
	for _, e := range s.env {
		env = append(env, x.expand(e))
	}
	outcome := harness.Run(commandTimeout, x.expand(s.stdin), env, x.commandLine(s)...)
	if s.capture != "" {
		if found := regexp.MustCompile(s.pattern).FindStringSubmatch(outcome.Stdout); found != nil {
			x.values[s.capture] = found[1]
		}
	}
	return x.masked(outcome, s.mask)
}

// run performs steps on both servers and compares their outcomes.
func (b *both) run(steps ...step) {
	b.t.Helper()
	for _, s := range steps {
		b.steps++
		var outcomes [2]harness.Outcome
		var wait sync.WaitGroup
		for i, side := range b.sides() {
			wait.Go(func() { outcomes[i] = side.run(s) })
		}
		wait.Wait()
		b.compare(strings.Join(s.args, " "), outcomes)
	}
}

func (b *both) compare(title string, outcomes [2]harness.Outcome) {
	b.t.Helper()
	real, ours := outcomes[0], outcomes[1]
	if real != ours {
		b.t.Errorf("%s\nreal: status %d\nstdout:\n%s\nstderr:\n%s\nours: status %d\nstdout:\n%s\nstderr:\n%s",
			title, real.Status, real.Stdout, real.Stderr, ours.Status, ours.Stdout, ours.Stderr)
	}
}

func (x *target) awaitOutput(t *testing.T, args []string, text string) {
	t.Helper()
	var last harness.Outcome
	for deadline := time.Now().Add(commandTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		line := append([]string{harness.Tool("etcdctl"), "--endpoints=" + x.member.Endpoint()}, args...)
		if last = harness.Run(commandTimeout, "", nil, line...); strings.Contains(last.Stdout, text) {
			return
		}
	}
	t.Fatalf("%v of %s never showed %q: %+v", args, x.member.Name, text, last)
}

// writeFile puts a file into each target's $DIR.
func (b *both) writeFile(name, content string) {
	for _, side := range b.sides() {
		if err := os.WriteFile(filepath.Join(side.dir, name), []byte(content), 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
}
