package abuse

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"kvorum.dev/interop/harness"
)

// stopLimit is how long a stop may take under load. A loaded machine may need
// more now and then, so one of a few stops must keep it.
const stopLimit = 1500 * time.Millisecond

// limit is the stop limit; the real etcd waits up to 7 s for open streams.
func limit() time.Duration {
	if harness.SubjectIsReal() {
		return 10 * time.Second
	}
	return stopLimit
}

func TestASignalStopsTheServerSoonUnderLoad(t *testing.T) {
	for _, c := range []struct {
		signal syscall.Signal
		status int
	}{{syscall.SIGTERM, 143}, {syscall.SIGINT, 130}} {
		t.Run(c.signal.String(), func(t *testing.T) {
			m := harness.NewMember(t, "ours", harness.Subject())
			var best time.Duration
			written := 0
			for attempt := range 3 {
				m.Start(t)
				prefix := fmt.Sprintf("load%d/", attempt)
				took, n := stopUnderLoad(t, m, prefix, c.signal)
				if status := m.Process().Status(); status != c.status {
					t.Errorf("status %d instead of %d", status, c.status)
				}
				if written += n; attempt == 0 || took < best {
					best = took
				}
				m.Start(t)
				mustHold(t, m, prefix, n)
				m.Kill()
				if best < limit() {
					break
				}
			}
			t.Logf("stopped in %v, %d writes acknowledged", best, written)
			if best >= limit() {
				t.Errorf("the fastest stop took %v", best)
			}
		})
	}
}

// stopUnderLoad signals a server that has writers and open watches.
func stopUnderLoad(t *testing.T, m *harness.Member, prefix string, signal syscall.Signal) (time.Duration, int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	conn := m.Dial(t)
	for range 20 {
		if _, err := watchKey(ctx, conn, &pb.WatchCreateRequest{Key: []byte{0}, RangeEnd: []byte{0}}); err != nil {
			t.Fatal(err)
		}
	}
	kv := pb.NewKVClient(m.Dial(t))
	written := 0
	var wait sync.WaitGroup
	started := make(chan struct{})
	wait.Go(func() {
		for ; ; written++ {
			put := &pb.PutRequest{Key: fmt.Appendf(nil, "%s%06d", prefix, written), Value: []byte("v")}
			if _, err := kv.Put(ctx, put); err != nil {
				return
			}
			if written == 100 {
				close(started)
			}
		}
	})
	for range 8 {
		wait.Go(func() {
			for ctx.Err() == nil {
				if _, err := kv.Range(ctx, &pb.RangeRequest{Key: []byte("k")}); err != nil {
					return
				}
			}
		})
	}
	select {
	case <-started:
	case <-time.After(patience):
		t.Fatal("no load")
	}
	began := time.Now()
	m.Process().Signal(signal)
	if !m.Process().AwaitExit(patience) {
		t.Fatalf("%v is ignored", signal)
	}
	took := time.Since(began)
	cancel()
	wait.Wait()
	return took, written
}

func TestAPausedServerGoesOn(t *testing.T) {
	m := harness.StartSubject(t)
	mustServe(t, m)
	m.Process().Signal(syscall.SIGSTOP)
	time.Sleep(2500 * time.Millisecond) // longer than an election
	m.Process().Signal(syscall.SIGCONT)
	mustServe(t, m)
}

func TestASignalDuringTheStartEndsIt(t *testing.T) {
	m := harness.NewMember(t, "ours", harness.Subject())
	for wait := time.Duration(0); wait < 600*time.Millisecond; wait += 120 * time.Millisecond {
		p := m.Launch(t)
		time.Sleep(wait)
		p.Signal(syscall.SIGTERM)
		if !p.AwaitExit(patience) {
			t.Fatalf("SIGTERM %v after the start is ignored", wait)
		}
	}
	m.Start(t)
	mustServe(t, m)
}
