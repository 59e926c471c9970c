package harness

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// programs are the packages whose binaries the tests compare against.
var programs = []string{
	"./cmd/etcd",
	"go.etcd.io/bbolt/cmd/bbolt",
	"go.etcd.io/etcd/etcdctl/v3",
	"go.etcd.io/etcd/etcdutl/v3",
}

// Root is the repository's top directory.
var Root = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "interop", "go", "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			panic("the tests must run inside the repository")
		}
		dir = parent
	}
})

// tools is the directory of the Go binaries, built when one is missing.
var tools = sync.OnceValue(func() string {
	if dir := os.Getenv("KVORUM_TOOLS"); dir != "" {
		return dir
	}
	dir := filepath.Join(Root(), "interop", "target", "go", "bin")
	if err := buildTools(dir); err != nil {
		panic(err)
	}
	return dir
})

func buildTools(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// Packages are tested in parallel processes: only one of them builds.
	lock, err := os.Create(filepath.Join(dir, ".lock"))
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	complete := true
	for _, name := range []string{"etcd", "etcdctl", "etcdutl", "bbolt"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			complete = false
		}
	}
	if complete {
		return nil
	}
	build := exec.Command("go", append([]string{"build", "-buildvcs=false", "-o", dir + "/"}, programs...)...)
	build.Dir = filepath.Join(Root(), "interop", "go")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the Go programs: %w\n%s", err, out)
	}
	return nil
}

// Tool is the path of a real Go binary: etcd, etcdctl, etcdutl or bbolt.
func Tool(name string) string { return filepath.Join(tools(), name) }

// Reference is the path of the real etcd server.
func Reference() string { return Tool("etcd") }

// Subject is the path of the server under test.
func Subject() string {
	if path := os.Getenv("KVORUM_ETCD"); path != "" {
		return path
	}
	return filepath.Join(Root(), "bin", "etcd")
}

// SubjectIsReal tells whether the subject is a Go program: the real etcd. Only
// tests of what Kvorum deliberately does better than etcd may ask.
func SubjectIsReal() bool {
	_, err := buildinfo.ReadFile(Subject())
	return err == nil
}

// Seed is the seed of this run's random choices, printed for a rerun.
func Seed(tb testing.TB) int64 {
	tb.Helper()
	seed := time.Now().UnixNano() % 1_000_000_000
	if text := os.Getenv("KVORUM_SEED"); text != "" {
		given, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			tb.Fatalf("KVORUM_SEED: %v", err)
		}
		seed = given
	}
	fmt.Printf("%s: KVORUM_SEED=%d\n", tb.Name(), seed)
	return seed
}

// Count is a size given by an environment variable, or its default.
func Count(tb testing.TB, variable string, fallback int) int {
	tb.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		tb.Fatalf("%s=%q is not a positive number", variable, text)
	}
	return n
}
