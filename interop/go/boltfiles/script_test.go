package boltfiles

import (
	"encoding/hex"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"kvorum.dev/interop/harness"
)

const patience = 2 * time.Minute

// ours runs bin/bolt, which must succeed, and returns what it printed.
func ours(t *testing.T, input string, arguments ...string) string {
	t.Helper()
	program := os.Getenv("KVORUM_BOLT")
	if program == "" {
		program = filepath.Join(harness.Root(), "bin", "bolt")
	}
	o := harness.Run(patience, input, nil, append([]string{program}, arguments...)...)
	if o.Status != 0 {
		t.Fatalf("bin/bolt %s: status %d\n%s%s", strings.Join(arguments, " "), o.Status, o.Stdout, o.Stderr)
	}
	return o.Stdout
}

// theirs runs the real bbolt, which must succeed.
func theirs(t *testing.T, arguments ...string) string {
	t.Helper()
	o := harness.Run(patience, "", nil, append([]string{harness.Tool("bbolt")}, arguments...)...)
	if o.Status != 0 {
		t.Fatalf("bbolt %s: status %d\n%s%s", strings.Join(arguments, " "), o.Status, o.Stdout, o.Stderr)
	}
	return o.Stdout
}

// open opens a file with bbolt.
func open(t *testing.T, path string, options bbolt.Options) *bbolt.DB {
	t.Helper()
	options.Timeout = patience
	options.NoGrowSync = true
	db, err := bbolt.Open(path, 0o600, &options)
	if err != nil {
		t.Fatal(err)
	}
	db.NoSync = true
	return db
}

// export prints a database as bin/bolt export does.
func export(t *testing.T, path string) string {
	t.Helper()
	db := open(t, path, bbolt.Options{ReadOnly: true})
	defer db.Close()
	var out strings.Builder
	err := db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			return exportBucket(&out, hex.EncodeToString(name), b)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func exportBucket(out *strings.Builder, path string, b *bbolt.Bucket) error {
	fmt.Fprintf(out, "bucket %s %d\n", path, b.Sequence())
	return b.ForEach(func(k, v []byte) error {
		if v == nil {
			if nested := b.Bucket(k); nested != nil {
				return exportBucket(out, path+"/"+hex.EncodeToString(k), nested)
			}
		}
		value := hex.EncodeToString(v)
		if value == "" {
			value = "-"
		}
		fmt.Fprintf(out, "put %s %s %s\n", path, hex.EncodeToString(k), value)
		return nil
	})
}

// draw makes up a transaction in bin/bolt's words, remembering which keys there are.
func draw(r *rand.Rand, keys map[string]map[string]bool, pageSize int) []string {
	var lines []string
	for _, path := range []string{"6b6579", "6d657461", "6b6579/6e657374", "6b6579/6e657374/64656570"} {
		if r.Intn(4) == 0 {
			continue
		}
		if keys[path] == nil {
			keys[path] = map[string]bool{}
		}
		if parent := strings.LastIndex(path, "/"); parent > 0 && keys[path[:parent]] == nil {
			delete(keys, path)
			continue
		}
		lines = append(lines, fmt.Sprintf("bucket %s %d", path, r.Intn(1000)))
		for i := r.Intn(200); i > 0; i-- {
			key := hex.EncodeToString([]byte(fmt.Sprintf("k%0*d", 1+r.Intn(40), r.Intn(500))))
			if r.Intn(3) == 0 {
				lines = append(lines, "delete "+path+" "+key)
				delete(keys[path], key)
				continue
			}
			size := []int{0, 10, 100, 300, pageSize/4 + 5, 3 * pageSize}[r.Intn(100)*r.Intn(100)/1700]
			value := make([]byte, size)
			r.Read(value)
			text := hex.EncodeToString(value)
			if size == 0 {
				text = "-"
			}
			lines = append(lines, "put "+path+" "+key+" "+text)
			keys[path][key] = true
		}
		if r.Intn(8) == 0 {
			all := make([]string, 0, len(keys[path]))
			for key := range keys[path] {
				all = append(all, key)
			}
			sort.Strings(all)
			for _, key := range all {
				lines = append(lines, "delete "+path+" "+key)
			}
			keys[path] = map[string]bool{}
		}
	}
	return lines
}

// obey makes bbolt do what bin/bolt edit would.
func obey(t *testing.T, db *bbolt.DB, lines []string) {
	t.Helper()
	err := db.Update(func(tx *bbolt.Tx) error {
		for _, line := range lines {
			words := strings.Fields(line)
			b, err := bucketOf(tx, words[1])
			if err != nil {
				return err
			}
			switch words[0] {
			case "bucket":
				var sequence uint64
				fmt.Sscan(words[2], &sequence)
				err = b.SetSequence(sequence)
			case "put":
				value := []byte{}
				if words[3] != "-" {
					value = unhex(words[3])
				}
				err = b.Put(unhex(words[2]), value)
			case "delete":
				err = b.Delete(unhex(words[2]))
			}
			if err != nil {
				return fmt.Errorf("%s: %w", line, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func bucketOf(tx *bbolt.Tx, path string) (*bbolt.Bucket, error) {
	names := strings.Split(path, "/")
	b, err := tx.CreateBucketIfNotExists(unhex(names[0]))
	for _, name := range names[1:] {
		if err != nil {
			return nil, err
		}
		b, err = b.CreateBucketIfNotExists(unhex(name))
	}
	return b, err
}

func unhex(text string) []byte {
	bytes, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return bytes
}
