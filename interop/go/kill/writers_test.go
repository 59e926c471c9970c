package kill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"kvorum.dev/interop/harness"
)

// writers load a server until it dies. Each change raises the revision by one,
// which lets the watcher check that revisions are gapless.
type writers struct {
	mutex        sync.Mutex
	acknowledged []harness.Write
	wait         sync.WaitGroup
	cancel       context.CancelFunc
}

func startWriters(t *testing.T, m *harness.Member, life int, random *rand.Rand) *writers {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	w := &writers{cancel: cancel}
	for i := range 8 {
		kv := pb.NewKVClient(m.Dial(t))
		own := rand.New(rand.NewPCG(random.Uint64(), uint64(i)))
		w.wait.Go(func() {
			var mine []string // keys this writer may delete: their puts were acknowledged
			for n := 0; ctx.Err() == nil; n++ {
				done, err := step(ctx, kv, own, fmt.Sprintf("%d/%d/%d", life, i, n), &mine)
				if err != nil {
					return // unknown outcome: its keys are not touched again
				}
				w.mutex.Lock()
				w.acknowledged = append(w.acknowledged, done...)
				w.mutex.Unlock()
			}
		})
	}
	return w
}

// step makes one change: a put, an overwrite, a delete, or several in one txn.
func step(ctx context.Context, kv pb.KVClient, random *rand.Rand, id string, mine *[]string) ([]harness.Write, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	value := fmt.Sprintf("%s %0*d", id, random.IntN(200), 0)
	switch n := random.IntN(10); {
	case n == 0 && len(*mine) > 0:
		key := (*mine)[0]
		*mine = (*mine)[1:]
		answer, err := kv.DeleteRange(ctx, &pb.DeleteRangeRequest{Key: []byte(key)})
		return []harness.Write{harness.DeletedAt(key, answer.GetHeader().GetRevision())}, err
	case n <= 2:
		a, b := "shared/"+id[len(id)-1:], "txn/"+id
		answer, err := kv.Txn(ctx, &pb.TxnRequest{Success: []*pb.RequestOp{put(a, value), put(b, value)}})
		revision := answer.GetHeader().GetRevision()
		return []harness.Write{harness.PutAt(a, value, revision), harness.PutAt(b, value, revision)}, err
	default:
		key := "own/" + id
		answer, err := kv.Put(ctx, &pb.PutRequest{Key: []byte(key), Value: []byte(value)})
		if err == nil {
			*mine = append(*mine, key)
		}
		return []harness.Write{harness.PutAt(key, value, answer.GetHeader().GetRevision())}, err
	}
}

func put(key, value string) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte(key), Value: []byte(value)}}}
}

func (w *writers) awaitCount(t *testing.T, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		w.mutex.Lock()
		count := len(w.acknowledged)
		w.mutex.Unlock()
		if count >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %d of %d writes acknowledged", count, n)
		}
	}
}

func (w *writers) stop() []harness.Write {
	w.cancel()
	w.wait.Wait()
	return w.acknowledged
}
