package datadir

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"kvorum.dev/interop/harness"
)

// logs runs testdata/Logs.java on the subject's own classes.
func logs(t *testing.T, arguments ...string) string {
	t.Helper()
	if harness.SubjectIsReal() {
		t.Skip("the subject is a Go program")
	}
	root := filepath.Dir(filepath.Dir(harness.Subject()))
	lib := filepath.Join(root, "server", "target", "dist", "lib")
	if _, err := os.Stat(lib); err != nil {
		harness.Run(time.Minute*10, "", nil, harness.Subject(), "--version") // builds it
	}
	commandLine := []string{jdk(t), "-Xmx512m", "--enable-native-access=ALL-UNNAMED", "-cp", lib + "/*",
		filepath.Join("testdata", "Logs.java")}
	o := harness.Run(10*time.Minute, "", nil, append(commandLine, arguments...)...)
	if o.Status != 0 {
		t.Fatalf("Logs %v: status %d\n%s", arguments, o.Status, o.Stderr)
	}
	return o.Stdout
}

// jdk is the java of a JDK 25.
func jdk(t *testing.T) string {
	t.Helper()
	home, err := exec.Command(filepath.Join(harness.Root(), "bin", "find-jdk")).Output()
	if err != nil {
		t.Fatal("no JDK 25 found; set KVORUM_JAVA_HOME")
	}
	return filepath.Join(strings.TrimSpace(string(home)), "bin", "java")
}

// goReads shows a log as etcd's own package reads it, in the words of Logs.java.
func goReads(t *testing.T, dir string) string {
	t.Helper()
	start := &walpb.Snapshot{Index: proto.Uint64(0), Term: proto.Uint64(0)}
	w, err := wal.OpenForRead(zap.NewNop(), dir, start)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	metadata, state, entries, err := w.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	verified, err := wal.Verify(zap.NewNop(), dir, start)
	if err != nil || !proto.Equal(verified, state) {
		t.Fatalf("Verify: %v, %v instead of %v", err, verified, state)
	}
	marks, err := wal.ValidSnapshotEntries(zap.NewNop(), dir)
	if err != nil {
		t.Fatal(err)
	}
	member := func(field int) uint64 { return fieldOf(t, metadata, field) }
	text := fmt.Sprintf("member %x of %x\n", member(1), member(2))
	for _, mark := range marks {
		text += fmt.Sprintf("mark %d %d %d\n", mark.GetIndex(), mark.GetTerm(), len(mark.GetConfState().GetVoters()))
	}
	for _, e := range entries {
		text += fmt.Sprintf("entry %d %d %d %x\n", e.GetType(), e.GetTerm(), e.GetIndex(), e.GetData())
	}
	return text + fmt.Sprintf("state %d %x %d\n", state.GetTerm(), state.GetVote(), state.GetCommit())
}

// fieldOf is a varint field of a message that has only such.
func fieldOf(t *testing.T, message []byte, wanted int) uint64 {
	t.Helper()
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		value, m := binary.Uvarint(message[n:])
		if int(tag>>3) == wanted {
			return value
		}
		message = message[n+m:]
	}
	t.Fatalf("no field %d", wanted)
	return 0
}

func mustAgree(t *testing.T, what, expected, found string) {
	t.Helper()
	want, got := strings.Split(expected, "\n"), strings.Split(found, "\n")
	for i := 0; i < len(want) || i < len(got); i++ {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Fatalf("%s: line %d of %d and %d differs:\n%.200s\n%.200s", what, i, len(want), len(got),
				strings.Join(want[min(i, len(want)):], " "), strings.Join(got[min(i, len(got)):], " "))
		}
	}
}

func segments(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.wal"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no segments in %s: %v", dir, err)
	}
	return names
}

func TestGoReadsOurLogsEntryForEntry(t *testing.T) {
	seed := harness.Seed(t)
	for round := range int64(2) {
		data := t.TempDir()
		dir := filepath.Join(data, "member", "wal")
		written := logs(t, "write", dir, fmt.Sprint(seed+round))
		if n := len(segments(t, dir)); n < 3 {
			t.Fatalf("only %d segments", n)
		}
		mustAgree(t, "Go reads ours", written, goReads(t, dir))
		mustAgree(t, "we read ours", written, logs(t, "read", dir))
		mustDump(t, data, written)
	}
}

// mustDump has the program etcd-dump-logs list the entries of a data directory.
func mustDump(t *testing.T, data, written string) {
	t.Helper()
	program := filepath.Join(harness.Root(), "interop", "target", "go", "bin", "etcd-dump-logs")
	if _, err := os.Stat(program); err != nil {
		build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "go.etcd.io/etcd/v3/tools/etcd-dump-logs")
		build.Dir = "dumplogs"
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("building etcd-dump-logs: %v\n%s", err, out)
		}
	}
	if err := os.MkdirAll(filepath.Join(data, "member", "snap"), 0o700); err != nil {
		t.Fatal(err)
	}
	raw, entries := mustSucceed(t, program, "-raw", data), 0
	for _, line := range strings.Split(written, "\n") {
		var kind string
		var entryType, term, index uint64
		if _, err := fmt.Sscan(line, &kind, &entryType, &term, &index); err != nil || kind != "entry" {
			continue
		}
		entries++
		if !strings.Contains(raw, fmt.Sprintf("Entry: Term:%d Index:%d ", term, index)) {
			t.Fatalf("entry %d of term %d is not in what etcd-dump-logs shows:\n%.2000s", index, term, raw)
		}
	}
	if dumped := mustSucceed(t, program, data); !strings.Contains(dumped, fmt.Sprintf("lastIndex=%d\n", entries)) {
		t.Errorf("%d entries were written, etcd-dump-logs says:\n%.300s", entries, dumped)
	}
}

// TestGoReadsALogThatWeRepaired tears the last record as power failures do.
func TestGoReadsALogThatWeRepaired(t *testing.T) {
	seed := harness.Seed(t)
	random := rand.New(rand.NewPCG(uint64(seed), 5))
	for range 3 {
		dir := filepath.Join(t.TempDir(), "wal")
		logs(t, "write", dir, fmt.Sprint(random.Int64()))
		names := segments(t, dir)
		last := names[len(names)-1]
		frames := framesOf(t, last)
		cut := frames[len(frames)-2] + 8 + random.Int64N(frames[len(frames)-1]-frames[len(frames)-2]-8)
		if err := os.Truncate(last, cut); err != nil {
			t.Fatal(err)
		}
		continued := logs(t, "continue", dir)
		first, contents, _ := strings.Cut(continued, "\n")
		if first != "repaired true" {
			t.Errorf("cut at %d: %s", cut, first)
		}
		mustAgree(t, "Go reads what we repaired", contents, goReads(t, dir))
	}
}

// framesOf tells where each record begins, and where the last one ends.
func framesOf(t *testing.T, segment string) []int64 {
	t.Helper()
	content, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	frames := []int64{0}
	for at := int64(0); at+8 <= int64(len(content)); {
		length := int64(binary.LittleEndian.Uint64(content[at:]) & (1<<56 - 1))
		if length == 0 {
			break
		}
		at += 8 + (length+7)/8*8
		frames = append(frames, at)
	}
	return frames
}

// TestWeReadLogsOfGoEntryForEntry writes with etcd's own package, odd cases
// included, repairs one with it, and goes on with it.
func TestWeReadLogsOfGoEntryForEntry(t *testing.T) {
	seed := harness.Seed(t)
	usual := wal.SegmentSizeBytes
	wal.SegmentSizeBytes = 64 << 10
	defer func() { wal.SegmentSizeBytes = usual }()
	for round := range 3 {
		random := rand.New(rand.NewPCG(uint64(seed), uint64(round)))
		dir := filepath.Join(t.TempDir(), "wal")
		goWrites(t, dir, random)
		mustAgree(t, "we read Go's", goReads(t, dir), logs(t, "read", dir))

		names := segments(t, dir)
		last := names[len(names)-1]
		frames := framesOf(t, last)
		if round > 0 { // torn: we repair it, or Go does
			if err := os.Truncate(last, frames[len(frames)-1]-9); err != nil {
				t.Fatal(err)
			}
		}
		if round == 2 {
			if !wal.Repair(zap.NewNop(), dir) {
				t.Fatal("etcd did not repair its log")
			}
			mustAgree(t, "we read what Go repaired", goReads(t, dir), logs(t, "read", dir))
		}
		continued := logs(t, "continue", dir)
		repaired, contents, _ := strings.Cut(continued, "\n")
		if repaired != fmt.Sprintf("repaired %t", round == 1) {
			t.Errorf("round %d: %s", round, repaired)
		}
		mustAgree(t, "Go reads its log with our entry", contents, goReads(t, dir))
	}
}

func goWrites(t *testing.T, dir string, random *rand.Rand) {
	t.Helper()
	// node id 0x1fe5fea60ea7a394, cluster id 0xe1efa7880d34c317
	metadata := []byte{0x08, 0x94, 0xc7, 0x9e, 0xf5, 0xe0, 0xd4, 0xff, 0xf2, 0x1f,
		0x10, 0x97, 0x86, 0xd3, 0xe9, 0x80, 0xf1, 0xe9, 0xf7, 0xe1, 0x01}
	w, err := wal.Create(zap.NewNop(), dir, metadata)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	terms := []uint64{} // of entry 1, 2, ...
	term, commit, marked := uint64(1), uint64(0), uint64(0)
	for range 60 {
		if commit < uint64(len(terms)) && random.IntN(6) == 0 {
			term++
			terms = terms[:commit+random.Uint64N(uint64(len(terms))-commit)]
		}
		var entries []*raftpb.Entry
		for range random.IntN(5) {
			terms = append(terms, term)
			entries = append(entries, goEntry(random, term, uint64(len(terms))))
		}
		commit += random.Uint64N(uint64(len(terms)) - commit + 1)
		state := &raftpb.HardState{Term: proto.Uint64(term), Vote: proto.Uint64(random.Uint64()), Commit: proto.Uint64(commit)}
		if err := w.Save(state, entries); err != nil {
			t.Fatal(err)
		}
		if random.IntN(8) == 0 && commit > marked {
			marked = commit
			mark := &walpb.Snapshot{Index: proto.Uint64(commit), Term: proto.Uint64(terms[commit-1]),
				ConfState: &raftpb.ConfState{Voters: []uint64{1, 2, 3}, AutoLeave: proto.Bool(false)}}
			if err := w.SaveSnapshot(mark); err != nil {
				t.Fatal(err)
			}
		}
	}
	// a record that ends the log for the tests to tear
	terms = append(terms, term)
	last := &raftpb.Entry{Type: raftpb.EntryNormal.Enum(), Term: proto.Uint64(term), Index: proto.Uint64(uint64(len(terms))),
		Data: []byte(strings.Repeat("x", 700))}
	if err := w.Save(&raftpb.HardState{}, []*raftpb.Entry{last}); err != nil {
		t.Fatal(err)
	}
}

func goEntry(random *rand.Rand, term, index uint64) *raftpb.Entry {
	kinds := []raftpb.EntryType{raftpb.EntryNormal, raftpb.EntryConfChange, raftpb.EntryConfChangeV2}
	kind, length := kinds[random.IntN(3)], 1+random.IntN(300)
	switch random.IntN(10) {
	case 0: // what a new leader begins with
		kind, length = raftpb.EntryNormal, 0
	case 1: // longer than a segment, at times
		length = random.IntN(90_000) + 1
	}
	data := make([]byte, length)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	if length == 0 {
		data = nil
	}
	return &raftpb.Entry{Type: kind.Enum(), Term: proto.Uint64(term), Index: proto.Uint64(index), Data: data}
}
