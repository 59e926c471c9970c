package differential

import (
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"kvorum.dev/interop/harness"
)

// TestAnIdStaysTakenAfterCompactionUntilCancelled is apart from the random
// requests, which cancel such ids at once.
func TestAnIdStaysTakenAfterCompactionUntilCancelled(t *testing.T) {
	r := startRun(t, harness.Seed(t))
	for range 9 {
		r.do(putCall(&pb.PutRequest{Key: []byte("k"), Value: []byte("v")}))
	}
	r.do(compactCall(&pb.CompactionRequest{Revision: 8, Physical: true}))
	s := r.watches[0]
	behind := &pb.WatchCreateRequest{Key: []byte("k"), StartRevision: 3, WatchId: 7}
	r.createWatcher(s, behind)
	for _, side := range s.sides() {
		if !side.await(callTimeout, func() bool { return len(side.canceled[7]) == 1 }) {
			t.Fatalf("%s has not cancelled a watch from a compacted revision", side.name)
		}
	}
	r.createWatcher(s, &pb.WatchCreateRequest{Key: []byte("k"), WatchId: 7}) // refused
	r.cancelWatcher(s, 7)
	r.createWatcher(s, &pb.WatchCreateRequest{Key: []byte("k"), WatchId: 7}) // accepted
	r.barrier(s)
	r.cancelWatcher(s, 7)
	r.cancelWatcher(s, 7)
}
