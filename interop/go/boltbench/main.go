package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
)

var bucketName = []byte("key")

// bench is one run over one directory.
type bench struct {
	dir      string
	scale    int // keys of the larger file
	commits  int // for each row of small commits
	measured bool
	db       *bolt.DB
	value    []byte
	sum      int
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: boltbench DIRECTORY KEYS")
		os.Exit(2)
	}
	keys, err := strconv.Atoi(os.Args[2])
	check(err)
	warm := &bench{dir: os.Args[1], scale: max(keys/5, 200_000), commits: keys / 1000, value: newValue()}
	warm.run()
	warm.run()
	(&bench{dir: os.Args[1], scale: keys, commits: keys / 1000, measured: true, value: newValue()}).run()
}

func (b *bench) run() {
	b.runSequential()
	b.runRandom()
	if b.sum == 42 {
		fmt.Fprintln(os.Stderr)
	}
}

func (b *bench) runSequential() {
	file := b.create("sequential.db")
	keys := b.scale
	b.puts("sequential puts, 10,000 a commit", sequentialKey, 0.9, 0, keys, 10_000)
	b.db.Close()
	b.size("file after sequential puts", file)
	b.opens("open", file, true)
	b.open(file, false)
	b.puts("", sequentialKey, 0.9, keys, 1, 1)
	b.db.Close()
	b.opens("open, free pages listed", file, false)
	b.open(file, true)
	b.gets("gets, sequential keys", sequentialKey, keys)
	b.scans("scans of 1,000, sequential keys", sequentialKey, keys)
	b.scanAll("scan of all, sequential keys", keys)
	b.puts("sequential puts, 100 a commit", sequentialKey, 0.9, keys+1, b.commits*100, 100)
	b.puts("sequential puts, 1 a commit", sequentialKey, 0.9, keys+1+b.commits*100, b.commits, 1)
	b.deletes("deletes from the front, 1,000 a commit", sequentialKey, keys/4, 1000)
	b.db.Close()
	check(os.Remove(file))
}

func (b *bench) runRandom() {
	file := b.create("random.db")
	keys := b.scale / 4
	b.puts("random puts, 10,000 a commit", randomKey, 0.5, 0, keys, 10_000)
	b.db.Close()
	b.size("file after random puts", file)
	b.open(file, true)
	b.gets("gets, random keys", randomKey, keys)
	b.scans("scans of 1,000, random keys", randomKey, keys)
	b.scanAll("scan of all, random keys", keys)
	b.puts("random puts, 100 a commit", randomKey, 0.5, keys, b.commits/2*100, 100)
	b.puts("random puts, 1 a commit", randomKey, 0.5, keys+b.commits/2*100, b.commits, 1)
	b.deletes("random deletes, 10,000 a commit", randomKey, keys/5*2, 10_000)
	b.db.Close()
	check(os.Remove(file))
}

func (b *bench) create(name string) string {
	file := filepath.Join(b.dir, "bbolt-"+name)
	_ = os.Remove(file)
	b.open(file, true)
	check(b.db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket(bucketName)
		return err
	}))
	return file
}

// open opens as etcd does.
func (b *bench) open(file string, noFreelistSync bool) {
	db, err := bolt.Open(file, 0o600, &bolt.Options{
		FreelistType:    bolt.FreelistMapType,
		NoFreelistSync:  noFreelistSync,
		InitialMmapSize: 10 << 30,
	})
	check(err)
	b.db = db
}

func (b *bench) puts(row string, key func(int) []byte, fill float64, from, count, perCommit int) {
	b.row(row, count, func() {
		for n := from; n < from+count; n += perCommit {
			tx, err := b.db.Begin(true)
			check(err)
			bucket := tx.Bucket(bucketName)
			bucket.FillPercent = fill
			for i := n; i < min(n+perCommit, from+count); i++ {
				check(bucket.Put(key(i), b.value))
			}
			check(tx.Commit())
		}
	})
}

func (b *bench) deletes(row string, key func(int) []byte, count, perCommit int) {
	b.row(row, count, func() {
		for n := 0; n < count; n += perCommit {
			tx, err := b.db.Begin(true)
			check(err)
			bucket := tx.Bucket(bucketName)
			for i := n; i < min(n+perCommit, count); i++ {
				check(bucket.Delete(key(i)))
			}
			check(tx.Commit())
		}
	})
}

// opens times opening alone, not closing.
func (b *bench) opens(row, file string, noFreelistSync bool) {
	times := 5
	if !noFreelistSync { // microseconds: the first ones find nothing in the processor's caches
		times = 200
	}
	for range times {
		b.row(row, 1, func() { b.open(file, noFreelistSync) })
		check(b.db.Close())
	}
}

func (b *bench) gets(row string, key func(int) []byte, keys int) {
	for range 3 {
		b.row(row, b.scale/2, func() {
			random := draws(1)
			tx, err := b.db.Begin(false)
			check(err)
			bucket := tx.Bucket(bucketName)
			for range b.scale / 2 {
				value := append([]byte(nil), bucket.Get(key(random.below(keys)))...)
				if len(value) != len(b.value) {
					panic("lost")
				}
			}
			check(tx.Rollback())
		})
	}
}

func (b *bench) scans(row string, key func(int) []byte, keys int) {
	scans := b.scale / 100
	for range 3 {
		b.row(row, scans, func() {
			random := draws(2)
			tx, err := b.db.Begin(false)
			check(err)
			cursor := tx.Bucket(bucketName).Cursor()
			for range scans {
				k, v := cursor.Seek(key(random.below(keys)))
				for n := 0; k != nil && n < 1000; n++ {
					b.sum += int(k[len(k)-1]) + int(v[len(v)-1])
					k, v = cursor.Next()
				}
			}
			check(tx.Rollback())
		})
	}
}

func (b *bench) scanAll(row string, keys int) {
	for range 3 {
		b.row(row, keys, func() {
			tx, err := b.db.Begin(false)
			check(err)
			cursor := tx.Bucket(bucketName).Cursor()
			seen := 0
			for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
				b.sum += int(k[len(k)-1]) + int(v[len(v)-1])
				seen++
			}
			check(tx.Rollback())
			if seen < keys {
				panic("lost")
			}
		})
	}
}

func (b *bench) size(row, file string) {
	info, err := os.Stat(file)
	check(err)
	if b.measured {
		fmt.Printf("bbolt\t%s\t1\t%d\t0\n", row, info.Size())
	}
}

// row does work and prints: engine, row, operations, wall nanoseconds, processor nanoseconds.
func (b *bench) row(name string, operations int, work func()) {
	cpu, start := processor(), time.Now()
	work()
	wall, used := time.Since(start), processor()-cpu
	if b.measured && name != "" {
		fmt.Printf("bbolt\t%s\t%d\t%d\t%d\n", name, operations, wall.Nanoseconds(), used)
	}
}

// processor is what this process has used of all processors, in nanoseconds.
func processor() int64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
