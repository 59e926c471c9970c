package boltfiles

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"kvorum.dev/interop/harness"
)

// bbolt makes files with smaller pages, too, but does not always open them again.
var pageSizes = []int{1024, 2048, 4096, 8192, 16384, 32768, 65536}

// TestEachReadsAndChangesWhatTheOtherWrote begins a file with one of the two,
// and lets them commit to it in turns.
func TestEachReadsAndChangesWhatTheOtherWrote(t *testing.T) {
	seed := harness.Seed(t)
	for i, pageSize := range pageSizes {
		// over all sizes, each combination comes up
		for _, variant := range []int{i % 4, 3 - i%4} {
			options := bbolt.Options{
				PageSize:       pageSize,
				NoFreelistSync: variant&1 == 0,
				FreelistType:   []bbolt.FreelistType{bbolt.FreelistArrayType, bbolt.FreelistMapType}[(variant>>1+i/4)&1],
			}
			oursBegins := variant&2 != 0
			name := fmt.Sprintf("pages=%d,list=%t,type=%s,begun-by-us=%t",
				pageSize, !options.NoFreelistSync, options.FreelistType, oursBegins)
			t.Run(name, func(t *testing.T) {
				swap(t, rand.New(rand.NewSource(seed+int64(i*4+variant))), options, oursBegins)
			})
		}
	}
}

func swap(t *testing.T, r *rand.Rand, options bbolt.Options, ourTurn bool) {
	path := filepath.Join(t.TempDir(), "db")
	keys := map[string]map[string]bool{}
	for turn := range 4 {
		transactions := make([][]string, 1+r.Intn(4))
		for i := range transactions {
			transactions[i] = draw(r, keys, options.PageSize)
		}
		if ourTurn {
			edit(t, path, options, transactions)
		} else {
			db := open(t, path, options)
			for _, lines := range transactions {
				obey(t, db, lines)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		ourTurn = !ourTurn
		if out := theirs(t, "check", path); !strings.HasPrefix(out, "OK") {
			t.Fatalf("turn %d: bbolt check: %s", turn, out)
		}
		if turn > 1 {
			assertBothReadTheSame(t, path, keys)
		}
	}
	if out := ours(t, "", "check", path); out != "OK\n" {
		t.Fatalf("bin/bolt check: %s", out)
	}
	if r.Intn(4) > 0 {
		return
	}
	if info := ours(t, "", "info", path); !strings.HasPrefix(info, theirs(t, "info", path)) {
		t.Errorf("info differs: %s", info)
	}
}

func edit(t *testing.T, path string, options bbolt.Options, transactions [][]string) {
	t.Helper()
	var script strings.Builder
	for i, lines := range transactions {
		if i > 0 {
			script.WriteString("commit\n")
		}
		for _, line := range lines {
			script.WriteString(line + "\n")
		}
	}
	arguments := []string{"edit", path, "--create", fmt.Sprintf("--page-size=%d", options.PageSize)}
	if !options.NoFreelistSync {
		arguments = append(arguments, "--sync-freelist")
	}
	ours(t, script.String(), arguments...)
}

func assertBothReadTheSame(t *testing.T, path string, keys map[string]map[string]bool) {
	t.Helper()
	theirText, ourText := export(t, path), ours(t, "", "export", path)
	if theirText != ourText {
		t.Fatalf("exports differ: bbolt reads %d bytes, we read %d", len(theirText), len(ourText))
	}
	expected := 0
	for _, in := range keys {
		expected += len(in)
	}
	if found := strings.Count(theirText, "put "); found != expected {
		t.Fatalf("%d keys in the file, %d were put", found, expected)
	}
}

// TestSurgeryOfEitherSuitsTheOther performs the operations on the same files
// with both programs: the results hold the same, and both call them sound.
func TestSurgeryOfEitherSuitsTheOther(t *testing.T) {
	r := rand.New(rand.NewSource(harness.Seed(t)))
	for _, pageSize := range []int{1024, 4096, 16384} {
		t.Run(fmt.Sprint(pageSize), func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "db")
			db := open(t, path, bbolt.Options{PageSize: pageSize})
			keys := map[string]map[string]bool{}
			var states []string
			for range 5 {
				obey(t, db, draw(r, keys, pageSize))
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			states = append(states, export(t, path))
			abandonedByUs, abandonedByThem := filepath.Join(dir, "a1"), filepath.Join(dir, "a2")
			compare(t, states[0], abandonedByUs, abandonedByThem, path, "surgery", "freelist", "abandon")
			compare(t, states[0], filepath.Join(dir, "b1"), filepath.Join(dir, "b2"), abandonedByThem,
				"surgery", "freelist", "rebuild")
			compare(t, states[0], filepath.Join(dir, "c1"), filepath.Join(dir, "c2"), abandonedByUs,
				"surgery", "freelist", "rebuild")
			compare(t, "", filepath.Join(dir, "d1"), filepath.Join(dir, "d2"), path, "surgery", "revert-meta-page")
			salvaged, compacted := filepath.Join(dir, "s"), filepath.Join(dir, "c")
			ours(t, "", "salvage", path, "--output", salvaged)
			ours(t, "", "compact", "-o", compacted, path)
			for _, copy := range []string{salvaged, compacted} {
				theirs(t, "check", copy)
				if export(t, copy) != states[0] {
					t.Errorf("%s differs from what it was made of", copy)
				}
			}
			lists := ours(t, "", "pages", filepath.Join(dir, "b2"))
			if theirLists := theirs(t, "pages", filepath.Join(dir, "b2")); lists != theirLists {
				t.Errorf("pages differ:\n%s\n%s", lists, theirLists)
			}
		})
	}
}

// compare performs one operation with both programs and compares the files.
func compare(t *testing.T, expected, byUs, byThem, source string, command ...string) {
	t.Helper()
	said := ours(t, "", append(command, source, "--output", byUs)...)
	if theySaid := theirs(t, append(command, source, "--output", byThem)...); said != theySaid {
		t.Errorf("%v: we say %q, bbolt says %q", command, said, theySaid)
	}
	for _, copy := range []string{byUs, byThem} {
		theirs(t, "check", copy)
		if out := ours(t, "", "check", copy); out != "OK\n" {
			t.Errorf("%v: bin/bolt check: %s", command, out)
		}
	}
	mine, other := export(t, byUs), export(t, byThem)
	if mine != other || expected != "" && mine != expected {
		t.Errorf("%v: what the copies hold differs", command)
	}
	if info, err := os.Stat(byUs); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v: %v %v", command, info.Mode(), err)
	}
}
