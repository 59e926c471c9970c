package harness

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// readyMessage is the log message after which clients may connect.
const readyMessage = "ready to serve client requests"

// startTimeout bounds a start; a first start of bin/etcd may have to build.
const startTimeout = 120 * time.Second

var memberCount atomic.Int64

// Member is one single-member cluster: a command line, a data directory, and
// at most one running process. Restarting it uses the same command line.
//
// Every member advertises the same URLs, whatever ports it listens on. As ids
// are derived from them, two members answer with equal cluster and member ids
// and their answers can be compared without masking ids.
type Member struct {
	Name       string   // in failure messages: "real" or "ours"
	Binary     string   // the server's executable; may change between starts
	Dir        string   // --data-dir
	ClientPort int      // also serves /health and /metrics
	PeerPort   int      // nobody connects to it
	Flags      []string // appended to the common ones
	Env        []string // the whole environment, or nil for this process's own
	LogPath    string   // stdout and stderr of every start

	process *Process
}

// NewMember prepares a member with a fresh directory; [Member.Start] runs it.
func NewMember(tb testing.TB, name, binary string, flags ...string) *Member {
	tb.Helper()
	dir := tb.TempDir()
	m := &Member{
		Name:       name,
		Binary:     binary,
		Dir:        filepath.Join(dir, "data"),
		ClientPort: FreePort(tb),
		PeerPort:   FreePort(tb),
		Flags:      flags,
		LogPath:    filepath.Join(dir, fmt.Sprintf("%s-%d.log", name, memberCount.Add(1))),
	}
	tb.Cleanup(func() {
		m.Kill()
		if tb.Failed() {
			tb.Logf("last log lines of %s (%s):\n%s", m.Name, m.Binary, m.LogTail(5))
		}
	})
	return m
}

// StartReference starts a fresh real etcd.
func StartReference(tb testing.TB, flags ...string) *Member {
	tb.Helper()
	m := NewMember(tb, "real", Reference(), flags...)
	m.Start(tb)
	return m
}

// StartSubject starts a fresh server under test.
func StartSubject(tb testing.TB, flags ...string) *Member {
	tb.Helper()
	m := NewMember(tb, "ours", Subject(), flags...)
	m.Start(tb)
	return m
}

// Endpoint is host:port of the client listener.
func (m *Member) Endpoint() string { return fmt.Sprintf("127.0.0.1:%d", m.ClientPort) }

// CommandLine is the executable with all its arguments.
func (m *Member) CommandLine() []string {
	return append([]string{
		m.Binary,
		"--name=m0",
		"--data-dir=" + m.Dir,
		"--listen-client-urls=http://" + m.Endpoint(),
		"--advertise-client-urls=http://127.0.0.1:2379",
		fmt.Sprintf("--listen-peer-urls=http://127.0.0.1:%d", m.PeerPort),
		"--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=m0=http://127.0.0.1:2380",
		"--initial-cluster-token=interop",
	}, m.Flags...)
}

// Launch starts the process without waiting until it serves.
func (m *Member) Launch(tb testing.TB) *Process {
	tb.Helper()
	if m.process != nil && m.process.Running() {
		tb.Fatalf("%s is running already", m.Name)
	}
	m.process = Launch(tb, m.CommandLine(), m.Env, m.LogPath)
	return m.process
}

// Start starts the process and waits until it serves clients.
func (m *Member) Start(tb testing.TB) {
	tb.Helper()
	m.Launch(tb)
	m.AwaitReady(tb)
}

// AwaitReady waits until a launched process serves clients.
func (m *Member) AwaitReady(tb testing.TB) {
	tb.Helper()
	if err := m.process.AwaitLog(readyMessage, startTimeout); err != nil {
		tb.Fatalf("%s (%s) did not start: %v\n%s", m.Name, m.Binary, err, m.LogTail(40))
	}
}

// Terminate sends SIGTERM and waits for the end, which must come soon.
func (m *Member) Terminate(tb testing.TB) (took time.Duration) {
	tb.Helper()
	began := time.Now()
	m.process.Signal(syscall.SIGTERM)
	if !m.process.AwaitExit(30 * time.Second) {
		m.Kill()
		tb.Fatalf("%s ignored SIGTERM for 30 s", m.Name)
	}
	return time.Since(began)
}

// Kill sends SIGKILL and waits for the end. Killing twice is harmless.
func (m *Member) Kill() {
	if m.process == nil || !m.process.Running() {
		return
	}
	m.process.Signal(syscall.SIGKILL)
	m.process.AwaitExit(30 * time.Second)
}

// Death describes the unexpected end of the process: how it ended and what it
// said; "" while it runs.
func (m *Member) Death() string {
	if m.process == nil || m.process.Running() {
		return ""
	}
	text := m.process.Output()
	if at := strings.LastIndex(text, "panic"); at > 0 {
		text = text[max(0, at-500):]
	}
	return fmt.Sprintf("%s (%s) has ended with status %d:\n%.4000s", m.Name, m.Binary, m.process.Status(), text)
}

// Process is the current or last process.
func (m *Member) Process() *Process { return m.process }

// LogTail is the last n lines of the member's output.
func (m *Member) LogTail(n int) string { return logTail(m.LogPath, n) }

// Process is one started server process, its output going to a file.
type Process struct {
	cmd     *exec.Cmd
	logPath string
	logFrom int64 // where this process's output begins in the file
	done    chan struct{}
	err     error
}

// Launch runs a command with its output appended to a file. The kernel kills
// the process should the test die first.
func Launch(tb testing.TB, commandLine, env []string, logPath string) *Process {
	tb.Helper()
	log, err := os.OpenFile(logPath, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(commandLine[0], commandLine[1:]...)
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p := &Process{cmd: cmd, logPath: logPath, logFrom: info.Size(), done: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("%s: %v", commandLine[0], err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	tb.Cleanup(func() {
		if p.Running() {
			p.Signal(syscall.SIGKILL)
			p.AwaitExit(30 * time.Second)
		}
	})
	return p
}

// Pid is the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Signal sends a signal; to a process that has ended it does nothing.
func (p *Process) Signal(signal syscall.Signal) { _ = p.cmd.Process.Signal(signal) }

// Running tells whether the process has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// AwaitExit waits for the end of the process; false when it goes on.
func (p *Process) AwaitExit(timeout time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(timeout):
		return false
	}
}

// Status is the exit status as a shell shows it: 128 + n after signal n.
func (p *Process) Status() int {
	<-p.done
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return p.cmd.ProcessState.ExitCode()
}

// Output is what this process has written so far.
func (p *Process) Output() string {
	content, err := os.ReadFile(p.logPath)
	if err != nil || int64(len(content)) < p.logFrom {
		return ""
	}
	return string(content[p.logFrom:])
}

// AwaitLog waits until the process has written a text.
func (p *Process) AwaitLog(text string, timeout time.Duration) error {
	log, err := os.Open(p.logPath)
	if err != nil {
		return err
	}
	defer log.Close()
	if _, err := log.Seek(p.logFrom, 0); err != nil {
		return err
	}
	var seen bytes.Buffer
	for deadline := time.Now().Add(timeout); ; {
		if _, err := seen.ReadFrom(log); err != nil {
			return err
		}
		if bytes.Contains(seen.Bytes(), []byte(text)) {
			return nil
		}
		if !p.Running() {
			return fmt.Errorf("the process ended with status %d before writing %q", p.Status(), text)
		}
		if time.Now().After(deadline) {
			return errors.New("timed out waiting for " + text)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func logTail(path string, n int) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	for i, line := range lines {
		if len(line) > 300 {
			lines[i] = line[:300] + "..."
		}
	}
	return strings.Join(lines, "\n")
}
