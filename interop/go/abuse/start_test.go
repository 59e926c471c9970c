package abuse

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kvorum.dev/interop/harness"
)

const (
	readyMessage = "ready to serve client requests"
	patience     = 60 * time.Second
)

// refusal is how a start ended that was meant to fail.
type refusal struct {
	status int
	output string
}

// tryStart starts a member that should refuse; a member that serves is ended.
func tryStart(t *testing.T, m *harness.Member) refusal {
	t.Helper()
	p := m.Launch(t)
	if err := p.AwaitLog(readyMessage, patience); err == nil {
		m.Kill()
		return refusal{-1, "it serves"}
	}
	if !p.AwaitExit(patience) {
		m.Kill()
		return refusal{-2, "it neither serves nor ends"}
	}
	return refusal{p.Status(), p.Output()}
}

func TestBadCommandLinesAreRefusedLikeEtcdDoes(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags []string
		text  string // in the output of both
	}{
		{"an unknown flag", []string{"--nonsense"}, "flag provided but not defined: -nonsense"},
		{"a gone flag", []string{"--experimental-watch-progress-notify-interval=1s"}, "flag provided but not defined"},
		{"a stray word", []string{"stray"}, `"stray" is not a valid flag`},
		{"a flag without its number", []string{"--snapshot-count=many"}, `invalid value "many" for flag -snapshot-count`},
		{"a bad duration", []string{"--backend-batch-interval=soon"}, `invalid value "soon" for flag -backend-batch-interval`},
		{"a bad boolean", []string{"--pre-vote=maybe"}, `invalid boolean value "maybe" for -pre-vote`},
		{"a URL without a scheme", []string{"--listen-client-urls=127.0.0.1:1"}, "listen-client-urls"},
		{"a URL with a path", []string{"--listen-client-urls=http://127.0.0.1:1/path"}, "URL must not contain a path"},
		{"a URL with a host name", []string{"--listen-client-urls=http://example.com:1"}, "expected IP in URL for binding"},
		{"an unknown scheme", []string{"--listen-peer-urls=ftp://127.0.0.1:1"}, "URL scheme must be http, https, unix, or unixs"},
		{"a bad cluster state", []string{"--initial-cluster-state=old"}, `invalid value "old" for flag -initial-cluster-state`},
		{"a name outside the cluster", []string{"--name=other"}, "couldn't find local name"},
		{"no heartbeat", []string{"--heartbeat-interval=0"}, "--heartbeat-interval must be >0"},
		{"an election too short", []string{"--election-timeout=200"}, "should be at least as 5 times as --heartbeat-interval"},
		{"an election too long", []string{"--election-timeout=60000"}, "is too long, and should be set less than 50000ms"},
		{"an unknown compaction mode", []string{"--auto-compaction-mode=sometimes"}, "auto-compaction-mode"},
		{"a bad retention", []string{"--auto-compaction-retention=much"}, "error parsing CompactionRetention"},
		{"an unknown gate", []string{"--feature-gates=Nonsense=true"}, "unrecognized feature gate: Nonsense"},
		{"a missing config file", []string{"--config-file=/nonexistent/etcd.yml"}, "/nonexistent/etcd.yml"},
		{"two ways to bootstrap", []string{"--discovery-srv=example.com"}, "multiple discovery or bootstrap flags are set"},
	} {
		t.Run(c.name, func(t *testing.T) {
			real := tryStart(t, harness.NewMember(t, "real", harness.Reference(), c.flags...))
			ours := tryStart(t, harness.NewMember(t, "ours", harness.Subject(), c.flags...))
			if real.status != ours.status {
				t.Errorf("status %d of real, %d of ours:\n%s", real.status, ours.status, ours.output)
			}
			for name, r := range map[string]refusal{"real": real, "ours": ours} {
				// In a JSON line quotes are escaped.
				if !strings.Contains(r.output, c.text) && !strings.Contains(r.output, strings.ReplaceAll(c.text, `"`, `\"`)) {
					t.Errorf("%s does not say %q:\n%.3000s", name, c.text, r.output)
				}
			}
		})
	}
}

func TestVersionAndHelpAnswerAtOnce(t *testing.T) {
	for _, flag := range []string{"--version", "--help", "-h"} {
		real := harness.Run(patience, "", nil, harness.Reference(), flag)
		ours := harness.Run(patience, "", nil, harness.Subject(), flag)
		if real.Status != ours.Status {
			t.Errorf("%s: status %d of real, %d of ours", flag, real.Status, ours.Status)
		}
		if first := strings.SplitN(ours.Stdout, "\n", 2)[0]; flag == "--version" && first != "etcd Version: 3.7.1" {
			t.Errorf("--version begins with %q", first)
		}
	}
}

// TestUnusablePlacesAreRefused compares only that both refuse with the same
// status: the texts of the operating system belong to each runtime.
func TestUnusablePlacesAreRefused(t *testing.T) {
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	heldPort := held.Addr().(*net.TCPAddr).Port
	for name, spoil := range map[string]func(m *harness.Member) error{
		"the directory is a file":  func(m *harness.Member) error { return os.WriteFile(m.Dir, []byte("x"), 0o600) },
		"its parent is a file":     func(m *harness.Member) error { m.Dir += "/sub"; return os.WriteFile(filepath.Dir(m.Dir), nil, 0o600) },
		"the client port is taken": func(m *harness.Member) error { m.ClientPort = heldPort; return nil },
		"the peer port is taken":   func(m *harness.Member) error { m.PeerPort = heldPort; return nil },
		"the log file cannot be written": func(m *harness.Member) error {
			m.Flags = append(m.Flags, "--log-outputs=/nonexistent/dir/log")
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			var results [2]refusal
			for i, m := range []*harness.Member{
				harness.NewMember(t, "real", harness.Reference()), harness.NewMember(t, "ours", harness.Subject()),
			} {
				if err := spoil(m); err != nil {
					t.Fatal(err)
				}
				results[i] = tryStart(t, m)
			}
			if real, ours := results[0], results[1]; real.status != ours.status || ours.output == "" {
				t.Errorf("status %d of real, %d of ours:\n%s", real.status, ours.status, ours.output)
			}
		})
	}
}

func TestAStartNeedsNoEnvironment(t *testing.T) {
	m := harness.NewMember(t, "ours", harness.Subject(), "--log-level=debug")
	m.Env = []string{}
	m.Start(t)
	mustServe(t, m)
	m.Terminate(t)
	for line := range strings.Lines(m.Process().Output()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("not a JSON line: %q", line)
		}
		for _, key := range []string{"level", "ts", "caller", "msg"} {
			if entry[key] == nil {
				t.Fatalf("no %s in %s", key, line)
			}
		}
		if level := entry["level"]; level == "error" && entry["msg"] != "setting up serving from embedded etcd failed." {
			t.Errorf("an error in normal operation: %s", line)
		}
	}
}

func TestFlagsMayComeFromTheEnvironmentAndAFile(t *testing.T) {
	m := harness.NewMember(t, "ours", harness.Subject())
	m.Env = append(os.Environ(), "ETCD_MAX_TXN_OPS=2", "ETCD_UNKNOWN_THING=1")
	m.Start(t)
	mustServe(t, m)
	refuseTxnOf(t, m, 3)
	m.Kill()

	file := filepath.Join(t.TempDir(), "etcd.yml")
	f := harness.NewMember(t, "ours", harness.Subject())
	config := fmt.Sprintf("name: m0\ndata-dir: %s\nlisten-client-urls: http://%s\nadvertise-client-urls: http://%s\n"+
		"listen-peer-urls: http://127.0.0.1:%d\ninitial-advertise-peer-urls: http://127.0.0.1:%d\n"+
		"initial-cluster: m0=http://127.0.0.1:%d\nmax-txn-ops: 2\n", f.Dir, f.Endpoint(), f.Endpoint(), f.PeerPort, f.PeerPort, f.PeerPort)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	f.Flags = []string{"--config-file=" + file, "--max-txn-ops=99"} // the file alone counts
	f.Start(t)
	refuseTxnOf(t, f, 3)
}

func TestASecondProcessOnADirectoryWaits(t *testing.T) {
	m := harness.StartSubject(t)
	mustServe(t, m)
	second := harness.NewMember(t, "ours", harness.Subject())
	second.Dir = m.Dir
	p := second.Launch(t)
	if err := p.AwaitLog(readyMessage, 5*time.Second); err == nil {
		t.Fatal("two processes serve one directory")
	}
	second.Kill()
	mustServe(t, m)
	m.Kill()
	m.Start(t)
	mustServe(t, m)
}
