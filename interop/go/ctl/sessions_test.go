package ctl

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kvorum.dev/interop/harness"
)

// session is an etcdctl that runs beside other commands.
type session struct {
	x      *target
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *output
	stderr *output
	masks  []mask
}

// output collects what a process writes while others read it.
type output struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.buffer.Write(p)
}

func (o *output) String() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.buffer.String()
}

func (x *target) start(t *testing.T, s step) *session {
	t.Helper()
	line := x.commandLine(s)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(cmd.Environ(), s.env...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	run := &session{x: x, cmd: cmd, stdin: stdin, stdout: &output{}, stderr: &output{}, masks: s.mask}
	cmd.Stdout, cmd.Stderr = run.stdout, run.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return run
}

func (s *session) await(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(commandTimeout); !strings.Contains(s.stdout.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%v on %s never printed %q:\n%s%s", s.cmd.Args[1:], s.x.member.Name, text, s.stdout, s.stderr)
		}
	}
}

// end interrupts the command, unless it ends by itself, and shows its outcome.
func (s *session) end(interrupt bool) harness.Outcome {
	if interrupt {
		_ = s.cmd.Process.Signal(syscall.SIGINT)
	} else {
		_ = s.stdin.Close()
	}
	timer := time.AfterFunc(commandTimeout, func() { _ = s.cmd.Process.Kill() })
	_ = s.cmd.Wait()
	timer.Stop()
	status := s.cmd.ProcessState.ExitCode()
	return s.x.masked(harness.Outcome{Stdout: s.stdout.String(), Stderr: s.stderr.String(), Status: status}, s.masks)
}

// watching is a watch from a revision, on both servers: once it has shown all
// of the past, steps make events that it shows one revision at a time.
type watching struct {
	line  string
	input string // lines typed into an interactive watch
	env   []string
}

// shown is how the output shows a value.
func (w watching) shown(value string) string {
	switch {
	case strings.Contains(w.line, "json"):
		return base64.StdEncoding.EncodeToString([]byte(value))
	case strings.Contains(w.line, "--hex"):
		var b strings.Builder
		for _, c := range []byte(value) {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
		return b.String()
	default:
		return value
	}
}

func (b *both) watch(w watching, first string, do []step, last string) {
	b.t.Helper()
	var runs [2]*session
	for i, side := range b.sides() {
		runs[i] = side.start(b.t, step{args: words(w.line), env: w.env})
		if _, err := io.WriteString(runs[i].stdin, w.input); err != nil {
			b.t.Fatal(err)
		}
	}
	for _, run := range runs {
		run.await(b.t, w.shown(first))
	}
	b.run(do...)
	var outcomes [2]harness.Outcome
	for i, run := range runs {
		run.await(b.t, w.shown(last))
		outcomes[i] = run.end(true)
	}
	b.compare(w.line, outcomes)
}

func TestWatchesFromARevision(t *testing.T) {
	b := startBoth(t)
	b.writeFile("show.sh", "env | grep ETCD_WATCH_ | sort\n")
	put := func(key, value string) step { return ctl("put " + key + " " + value) }
	b.run(put("w/a", "1"), put("w/b", "2"), ctl("del w/a"), put("x", "3"), put("w/c", "4")) // revisions 2 to 6
	for i, w := range []watching{
		{line: "watch w/a --rev 2"},
		{line: "watch w/ --prefix --rev 2"},
		{line: "watch w/ --prefix --rev 2 --prev-kv"},
		{line: "watch w/a w/zz --rev 3"},
		{line: "watch w/ --prefix --rev 2 -w json"},
		{line: "watch w/ --prefix --rev 2 -w fields --prev-kv"},
		{line: "watch w/ --prefix --rev 2 -w protobuf"},
		{line: "watch '' --prefix --rev 1 --hex"},
		{line: "watch --prefix --rev 2", env: []string{"ETCDCTL_WATCH_KEY=w/"}},
		{line: "watch -i", input: "watch w/ --prefix --rev 2\n"},
		{line: "watch -i", input: "watch w/ w/zz --rev 4 --prev-kv\n\nnonsense\nwatch\njump w/\n"},
		{line: "watch w/ --prefix --rev 2 -- sh $DIR/show.sh"},
	} {
		first, last := fmt.Sprintf("first%d", i), fmt.Sprintf("last%d", i)
		b.run(put("w/a", first))
		b.watch(w, first, []step{
			put("w/b", "again"), ctl("txn").input("\nput w/t 1\ndel w/b\nput w/u 2\n\n\n"), put("w/a", last),
		}, last)
	}
}

// TestWatchesFromNow puts canaries until a watch without a start stands, and
// compares from a known key on.
func TestWatchesFromNow(t *testing.T) {
	b := startBoth(t)
	for _, side := range b.sides() {
		run := side.start(t, step{args: words("watch w/ --prefix --progress-notify")})
		for deadline := time.Now().Add(commandTimeout); run.stdout.String() == ""; {
			if time.Now().After(deadline) {
				t.Fatalf("%s: the watch shows nothing: %s", side.member.Name, run.stderr)
			}
			side.run(ctl("put w/canary 1"))
		}
		side.run(ctl("put w/start 1"))
		side.run(ctl("put w/a 1"))
		side.run(ctl("del w/a"))
		side.run(ctl("put w/end 1"))
		run.await(t, "w/end\n1\n")
		o := run.end(true)
		from := strings.Index(o.Stdout, "PUT\nw/start")
		if want := "PUT\nw/start\n1\nPUT\nw/a\n1\nDELETE\nw/a\n\nPUT\nw/end\n1\n"; from < 0 || o.Stdout[from:] != want {
			t.Errorf("%s shows\n%s\ninstead of the canaries and\n%s", side.member.Name, o.Stdout, want)
		}
	}
}

func TestProgressIsShownOnRequest(t *testing.T) {
	b := startBoth(t)
	b.run(ctl("put w/a 1"))
	var outcomes [2]harness.Outcome
	for i, side := range b.sides() {
		run := side.start(t, step{args: words("watch -i")})
		io.WriteString(run.stdin, "watch w/ --prefix --rev 2\n")
		run.await(t, "w/a\n1\n")
		// A server says nothing while the watch is still catching up.
		for deadline := time.Now().Add(commandTimeout); !strings.Contains(run.stdout.String(), "progress notify: 2"); {
			if time.Now().After(deadline) {
				t.Fatalf("%s never showed progress:\n%s", side.member.Name, run.stdout)
			}
			io.WriteString(run.stdin, "progress\n")
			time.Sleep(100 * time.Millisecond)
		}
		outcomes[i] = run.end(true)
		outcomes[i].Stdout = strings.Join(distinct(strings.Split(outcomes[i].Stdout, "\n")), "\n")
	}
	b.compare("watch -i, progress", outcomes)
}

func TestWatchesThatTheServerRefuses(t *testing.T) {
	b := startBoth(t)
	for range 6 {
		b.run(ctl("put k v"))
	}
	b.run(ctl("compaction 5 --physical"))
	b.run(ctl("watch k --rev 2"), ctl("watch k a"), ctl("watch k a --rev 6"), ctl("watch"),
		ctl("watch a b --prefix"), ctl("watch -i").input("watch k --rev 2\n"), ctl("watch -i").input(""))
}

func TestLocksAndElections(t *testing.T) {
	b := startBoth(t)
	key := newMask(`/[0-9a-f]{10,16}`, "/LEASE")
	b.run(
		ctl("lock m -- sh -c exit\x203").masking(key), ctl("lock m echo held").masking(key), ctl("lock"),
		ctl("lock m -- sh -c echo\x20$ETCD_LOCK_KEY").masking(key), ctl("elect"), ctl("elect -l e v"), ctl("elect e"),
	)
	for _, name := range []string{"lock m", "lock m --ttl 20", "elect e me"} {
		var first, second [2]*session
		var outcomes [2]harness.Outcome
		for i, side := range b.sides() {
			s := step{args: words(name), mask: []mask{key}}
			first[i] = side.start(t, s)
			first[i].await(t, "/")
			second[i] = side.start(t, s)
			if name == "elect e me" {
				listener := side.start(t, step{args: words("elect -l e"), mask: []mask{key}})
				listener.await(t, "me")
				listener.end(true)
			}
			outcomes[i] = first[i].end(true) // lets the second in
		}
		b.compare(name, outcomes)
		for i := range second {
			second[i].await(t, "/")
			outcomes[i] = second[i].end(true)
		}
		b.compare(name+", waiting", outcomes)
	}
	b.run(ctl("get '' --prefix --keys-only"), ctl("lease list").masking(maskLease))
}

func TestKeepAliveGoesOnUntilInterrupted(t *testing.T) {
	b := startBoth(t)
	b.run(ctl("lease grant 3").naming("LEASE", `lease ([0-9a-f]+) granted`))
	var outcomes [2]harness.Outcome
	var runs [2]*session
	for i, side := range b.sides() {
		runs[i] = side.start(t, step{args: words("lease keep-alive " + side.values["LEASE"])})
	}
	for i, run := range runs {
		run.await(t, "TTL(3)\n")
		outcomes[i] = run.end(true)
		outcomes[i].Stdout = strings.Join(distinct(strings.Split(outcomes[i].Stdout, "\n")), "\n")
	}
	b.compare("lease keep-alive", outcomes)
}

// distinct drops repeated lines.
func distinct(lines []string) (kept []string) {
	seen := map[string]bool{}
	for _, line := range lines {
		if !seen[line] {
			seen[line] = true
			kept = append(kept, line)
		}
	}
	return kept
}

func containsAll(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
