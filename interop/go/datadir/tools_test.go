package datadir

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kvorum.dev/interop/harness"
)

// audit lets the real tools judge a copy of a stopped member's files.
func audit(t *testing.T, m *harness.Member, hash uint32, revision int64) {
	t.Helper()
	db := filepath.Join(t.TempDir(), "db")
	copyFile(t, filepath.Join(m.Dir, "member", "snap", "db"), db)
	mustSucceed(t, harness.Tool("bbolt"), "check", db)
	if hash != 0 { // a killed server may have written less than it answered for
		var found struct {
			Hash     uint32 `json:"hash"`
			Revision int64  `json:"hashRevision"`
		}
		decode(t, mustSucceed(t, harness.Tool("etcdutl"), "hashkv", "-w", "json", db), &found)
		if found.Hash != hash || found.Revision != revision {
			t.Errorf("etcdutl hashkv of %s finds %d at %d, the server said %d at %d",
				m.Name, found.Hash, found.Revision, hash, revision)
		}
	}
	var status struct {
		Revision int64  `json:"revision"`
		Version  string `json:"version"`
		Keys     int64  `json:"totalKey"`
	}
	decode(t, mustSucceed(t, harness.Tool("etcdutl"), "snapshot", "status", "-w", "json", db), &status)
	if status.Version != "3.7.0" || hash != 0 && status.Revision != revision {
		t.Errorf("etcdutl snapshot status of %s: %+v, expected revision %d", m.Name, status, revision)
	}
}

// snapshotAndRestore saves a snapshot over the network, restores it with the
// real etcdutl, and returns the restored directory.
func snapshotAndRestore(t *testing.T, m *harness.Member) string {
	t.Helper()
	dir := t.TempDir()
	file, restored := filepath.Join(dir, "s.db"), filepath.Join(dir, "restored")
	mustSucceed(t, harness.Tool("etcdctl"), "--endpoints="+m.Endpoint(), "snapshot", "save", file)
	mustSucceed(t, harness.Tool("etcdutl"), "snapshot", "restore", file, "--data-dir="+restored,
		"--name=m0", "--initial-cluster=m0=http://127.0.0.1:2380", "--initial-cluster-token=interop",
		"--initial-advertise-peer-urls=http://127.0.0.1:2380")
	mustSucceed(t, harness.Tool("etcdutl"), "snapshot", "status", file)
	mustSucceed(t, harness.Tool("bbolt"), "check", filepath.Join(restored, "member", "snap", "db"))
	return restored
}

func mustSucceed(t *testing.T, commandLine ...string) string {
	t.Helper()
	o := harness.Run(patience, "", nil, commandLine...)
	if o.Status != 0 {
		t.Fatalf("%s: status %d\n%s%s", strings.Join(commandLine, " "), o.Status, o.Stdout, o.Stderr)
	}
	return o.Stdout
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// files counts WAL segments and raft snapshots.
func files(t *testing.T, m *harness.Member) string {
	wals, err := filepath.Glob(filepath.Join(m.Dir, "member", "wal", "*.wal"))
	if err != nil {
		t.Fatal(err)
	}
	snaps, err := filepath.Glob(filepath.Join(m.Dir, "member", "snap", "*.snap"))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d WAL segments, %d snapshots", len(wals), len(snaps))
}
