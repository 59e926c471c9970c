package datadir

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"kvorum.dev/interop/harness"
)

const writerCount = 6

const never = -1 // the compacted revision of a store that was not compacted

// pressure is what clients do to one server until it goes away, and what it has
// acknowledged of it.
type pressure struct {
	cancel       context.CancelFunc
	wait         sync.WaitGroup
	mutex        sync.Mutex
	acknowledged []harness.Write
	leases       map[clientv3.LeaseID]bool // whether it is there; unknown ones are left out
	compacted    int64
	compactions  int
	defrags      int
}

// startPressure begins to write with several Go clients. A writer ends at its
// first error: what became of that write is unknown, and nobody repeats it.
func startPressure(t *testing.T, m *harness.Member, life int, random *rand.Rand) *pressure {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	p := &pressure{cancel: cancel, leases: map[clientv3.LeaseID]bool{}, compacted: never}
	for i := range writerCount {
		w := &writer{p, m.Client(t), rand.New(rand.NewPCG(random.Uint64(), uint64(i))), fmt.Sprintf("w%d/", i), nil}
		p.wait.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if w.step(ctx, fmt.Sprintf("life %d write %d ", life, n)) != nil {
					return
				}
			}
		})
	}
	return p
}

// writer is one client. Only it writes below its prefix; keys below shared/ are
// everybody's.
type writer struct {
	*pressure
	client *clientv3.Client
	random *rand.Rand
	prefix string
	leases []clientv3.LeaseID // granted in this life
}

func (w *writer) step(ctx context.Context, value string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	value += strings.Repeat("v", w.random.IntN(400))
	switch n := w.random.IntN(100); {
	case n < 50:
		return w.put(ctx, w.ownKey(), value)
	case n < 65:
		return w.txn(ctx, value)
	case n < 75:
		return w.put(ctx, w.sharedKey(), value)
	case n < 83:
		return w.delete(ctx, w.ownKey())
	case n < 85:
		key := w.ownKey()
		return w.delete(ctx, key[:len(key)-1], clientv3.WithPrefix())
	case n < 88:
		return w.grant(ctx)
	case n < 96 && len(w.leases) > 0:
		lease := w.leases[w.random.IntN(len(w.leases))]
		return w.put(ctx, w.prefix+"leased/"+w.number(), value, clientv3.WithLease(lease))
	case n < 98 && len(w.leases) > 0:
		return w.revoke(ctx)
	case n == 98: // now and then these fill a WAL segment
		return w.put(ctx, w.prefix+"big", value+strings.Repeat("b", w.random.IntN(1<<20)))
	default:
		return w.put(ctx, "\xff\x00"+w.prefix, value)
	}
}

func (w *writer) number() string    { return fmt.Sprintf("%03d", w.random.IntN(120)) }
func (w *writer) ownKey() string    { return w.prefix + "k" + w.number() }
func (w *writer) sharedKey() string { return fmt.Sprintf("shared/%d", w.random.IntN(20)) }

func (w *writer) note(writes ...harness.Write) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.acknowledged = append(w.acknowledged, writes...)
}

func (w *writer) put(ctx context.Context, key, value string, options ...clientv3.OpOption) error {
	answer, err := w.client.Put(ctx, key, value, options...)
	if err == nil {
		w.note(harness.PutAt(key, value, answer.Header.Revision))
	}
	return err
}

func (w *writer) delete(ctx context.Context, key string, options ...clientv3.OpOption) error {
	answer, err := w.client.Delete(ctx, key, append(options, clientv3.WithPrevKV())...)
	if err == nil {
		for _, kv := range answer.PrevKvs {
			w.note(harness.DeletedAt(string(kv.Key), answer.Header.Revision))
		}
	}
	return err
}

func (w *writer) txn(ctx context.Context, value string) error {
	own, gone, shared := w.ownKey(), w.ownKey(), w.sharedKey()
	if own == gone {
		gone += "/other"
	}
	answer, err := w.client.Txn(ctx).If(clientv3.Compare(clientv3.Version(gone), ">", 0)).
		Then(clientv3.OpDelete(gone), clientv3.OpPut(own, value), clientv3.OpGet(own)).
		Else(clientv3.OpPut(gone, value), clientv3.OpPut(shared, value)).Commit()
	switch {
	case err != nil:
	case answer.Succeeded:
		w.note(harness.DeletedAt(gone, answer.Header.Revision), harness.PutAt(own, value, answer.Header.Revision))
	default:
		w.note(harness.PutAt(gone, value, answer.Header.Revision), harness.PutAt(shared, value, answer.Header.Revision))
	}
	return err
}

func (w *writer) grant(ctx context.Context) error {
	answer, err := w.client.Grant(ctx, 100_000+w.random.Int64N(1000))
	if err == nil {
		w.leases = append(w.leases, answer.ID)
		w.setLease(answer.ID, true)
	}
	return err
}

func (w *writer) revoke(ctx context.Context) error {
	last := len(w.leases) - 1
	lease := w.leases[last]
	w.leases = w.leases[:last]
	w.forgetLease(lease) // until it is acknowledged
	_, err := w.client.Revoke(ctx, lease)
	if err == nil {
		w.setLease(lease, false)
	}
	return err
}

func (w *writer) setLease(lease clientv3.LeaseID, there bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.pressure.leases[lease] = there
}

func (w *writer) forgetLease(lease clientv3.LeaseID) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	delete(w.pressure.leases, lease)
}

func (p *pressure) count() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return len(p.acknowledged)
}

func (p *pressure) awaitCount(t *testing.T, m *harness.Member, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); p.count() < n; time.Sleep(time.Millisecond) {
		if death := m.Death(); death != "" {
			t.Fatal(death)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: only %d of %d writes acknowledged", m.Name, p.count(), n)
		}
	}
}

// compact drops history, but none that the watcher still needs; it may be
// running when the server goes.
func (p *pressure) compact(t *testing.T, m *harness.Member, h *harness.History, random *rand.Rand) {
	request := &pb.CompactionRequest{Revision: h.Newest() - random.Int64N(100), Physical: random.IntN(2) == 0}
	if request.Revision < 1 {
		return
	}
	p.background(func(ctx context.Context) {
		if _, err := pb.NewKVClient(m.Dial(t)).Compact(ctx, request); err == nil {
			p.mutex.Lock()
			defer p.mutex.Unlock()
			p.compacted = max(p.compacted, request.Revision)
			p.compactions++
		}
	})
}

func (p *pressure) defragment(t *testing.T, m *harness.Member) {
	p.background(func(ctx context.Context) {
		if _, err := pb.NewMaintenanceClient(m.Dial(t)).Defragment(ctx, &pb.DefragmentRequest{}); err == nil {
			p.mutex.Lock()
			defer p.mutex.Unlock()
			p.defrags++
		}
	})
}

func (p *pressure) background(run func(ctx context.Context)) {
	p.wait.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		run(ctx)
	})
}

// stop ends the load; its fields may be read from then on.
func (p *pressure) stop() {
	p.cancel()
	p.wait.Wait()
}
