package differential

import (
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"kvorum.dev/interop/harness"
)

// TestAnExpiredLeaseDeletesItsKeysInOneRevision is apart from the random
// requests, as only time decides when a lease expires.
func TestAnExpiredLeaseDeletesItsKeysInOneRevision(t *testing.T) {
	r := startRun(t, harness.Seed(t))
	s := r.watches[0]
	r.createWatcher(s, &pb.WatchCreateRequest{Key: []byte("l/"), RangeEnd: []byte("l0"), PrevKv: true})
	for _, ttl := range []int64{0, -5, 1, 2} { // all raised to the minimum
		r.do(grantCall(&pb.LeaseGrantRequest{ID: 100 + ttl, TTL: ttl}))
		for _, key := range []string{"l/c", "l/a", "l/b"} {
			r.do(putCall(&pb.PutRequest{Key: []byte(key), Value: []byte("v"), Lease: 100 + ttl}))
		}
	}
	r.do(putCall(&pb.PutRequest{Key: []byte("l/detached"), Lease: 102}))
	r.do(putCall(&pb.PutRequest{Key: []byte("l/detached")}))
	alive := func(side *side) int {
		a := performBounded(leasesCall(), side)
		if a.err != nil {
			t.Fatal(a.err)
		}
		return len(a.messages[0].(*pb.LeaseLeasesResponse).Leases)
	}
	for deadline := time.Now().Add(callTimeout); alive(r.real) > 0 || alive(r.ours) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("leases still alive: real %d, ours %d", alive(r.real), alive(r.ours))
		}
	}
	r.do(rangeCall(&pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}}))
	for _, ttl := range []int64{0, -5, 1, 2} {
		r.do(timeToLiveCall(&pb.LeaseTimeToLiveRequest{ID: 100 + ttl, Keys: true}))
		r.do(keepAliveCall(100 + ttl))
	}
	r.barrier(r.watches...)
	r.do(hashKVCall(0))
}
