package abuse

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"kvorum.dev/interop/harness"
)

// TestBrokenFilesAreTreatedLikeEtcdDoes breaks copies of one directory and
// wants the same from both: to serve with all keys, or to refuse.
func TestBrokenFilesAreTreatedLikeEtcdDoes(t *testing.T) {
	original := harness.StartReference(t)
	written, err := fill(t, original, "k", 300, 100)
	if err != nil {
		t.Fatal(err)
	}
	original.Kill()
	for name, spoil := range map[string]func(dir string) error{
		"a torn last sector of the WAL": func(dir string) error { return editWAL(dir, tearSector) },
		"a WAL cut within a record":     func(dir string) error { return editWAL(dir, cutEnd) },
		"garbage after the WAL's end":   func(dir string) error { return editWAL(dir, appendGarbage) },
		"a wrong byte inside the WAL":   func(dir string) error { return editWAL(dir, flipMiddle) },
		"no database":                   func(dir string) error { return os.Remove(database(dir)) },
		"an empty database":             func(dir string) error { return os.Truncate(database(dir), 0) },
		"a database without its meta pages": func(dir string) error {
			return overwrite(database(dir), 0, make([]byte, 8192))
		},
		"a database with one meta page": func(dir string) error {
			return overwrite(database(dir), 0, make([]byte, 4096))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var outcomes [2]string
			for i, m := range []*harness.Member{
				harness.NewMember(t, "real", harness.Reference()), harness.NewMember(t, "ours", harness.Subject()),
			} {
				if err := os.CopyFS(m.Dir, os.DirFS(original.Dir)); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(m.Dir, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := spoil(m.Dir); err != nil {
					t.Fatal(err)
				}
				outcomes[i] = startOutcome(t, m, written)
			}
			if outcomes[0] != outcomes[1] {
				t.Errorf("real: %s, ours: %s", outcomes[0], outcomes[1])
			}
			t.Logf("%s", outcomes[1])
		})
	}
}

func startOutcome(t *testing.T, m *harness.Member, written int) string {
	t.Helper()
	p := m.Launch(t)
	if err := p.AwaitLog(readyMessage, patience); err != nil {
		if !p.AwaitExit(patience) {
			m.Kill()
			return "neither serves nor ends"
		}
		if p.Status() == 0 {
			return "ends as if all were well"
		}
		return "refuses"
	}
	mustServe(t, m)
	now, err := fill(t, m, "after", 1, 1)
	if err != nil || now != 1 {
		t.Fatal(err)
	}
	return "serves " + heldKeys(t, m, written)
}

func database(dir string) string { return filepath.Join(dir, "member", "snap", "db") }

// editWAL changes the newest segment, given where its records end.
func editWAL(dir string, edit func(path string, end int64) error) error {
	segments, err := filepath.Glob(filepath.Join(dir, "member", "wal", "*.wal"))
	if err != nil || len(segments) == 0 {
		return errors.Join(err, errors.New("no WAL"))
	}
	path := segments[len(segments)-1]
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	end := len(content)
	for end > 0 && content[end-1] == 0 {
		end--
	}
	return edit(path, int64(end))
}

// tearSector loses the last sector written: it reads as zeros.
func tearSector(path string, end int64) error {
	from := (end - 1) / 512 * 512
	return overwrite(path, from, make([]byte, end-from))
}

func cutEnd(path string, end int64) error { return os.Truncate(path, end-20) }

func appendGarbage(path string, end int64) error {
	return overwrite(path, (end+15)/8*8, []byte{0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef})
}

// flipMiddle changes a key in the middle: a record's data, whose checksum then
// fails. A wrong length would be taken for a torn end.
func flipMiddle(path string, _ int64) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	at := bytes.Index(content, []byte("k000150"))
	if at < 0 {
		return errors.New("the key is not in the WAL")
	}
	return overwrite(path, int64(at), []byte("K"))
}

func overwrite(path string, at int64, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(content, at)
	return errors.Join(err, file.Close())
}

// TestAFullDiskLosesNothingAcknowledged fills a small file system until the
// server gives up, gives it more room, and starts the same command line again.
func TestAFullDiskLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=200m"); err != nil {
		t.Skipf("mounting a small file system needs more rights: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	m := harness.NewMember(t, "ours", harness.Subject())
	defer m.Kill() // before the file system goes
	m.Dir = filepath.Join(dir, "data")
	m.Start(t)
	written, err := fill(t, m, "k", 400, 1<<20)
	if err == nil {
		t.Fatal("400 MB fit into 200")
	}
	t.Logf("%d writes acknowledged, then %v", written, err)
	m.Kill()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=1000m"); err != nil {
		t.Fatal(err)
	}
	m.Start(t)
	mustHold(t, m, "k", written)
	mustServe(t, m)
}
