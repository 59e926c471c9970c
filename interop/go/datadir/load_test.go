package datadir

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"kvorum.dev/interop/harness"
)

const patience = 60 * time.Second

// load writes keys of every kind: overwritten, deleted, leased, nested in
// transactions, big, and now and then compacts.
func load(t *testing.T, m *harness.Member, random *rand.Rand, round, writes, megabytes int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client := m.Client(t)
	check := func(err error) {
		if err != nil {
			t.Fatalf("loading %s: %v", m.Name, err)
		}
	}
	lease, err := client.Grant(ctx, 100_000+int64(round))
	check(err)
	short, err := client.Grant(ctx, 90_000)
	check(err)
	for i := range writes {
		key := fmt.Sprintf("k%03d", random.IntN(300))
		value := fmt.Sprintf("round %d write %d %0*d", round, i, random.IntN(400), 0)
		switch random.IntN(12) {
		case 0:
			_, err = client.Delete(ctx, key)
		case 1:
			_, err = client.Delete(ctx, key[:3], clientv3.WithPrefix())
		case 2:
			_, err = client.Put(ctx, "leased/"+key, value, clientv3.WithLease(lease.ID))
		case 3:
			_, err = client.Put(ctx, "short/"+key, value, clientv3.WithLease(short.ID))
		case 4, 5:
			_, err = client.Txn(ctx).If(clientv3.Compare(clientv3.Version(key), ">", 0)).
				Then(clientv3.OpPut(key, value), clientv3.OpPut(key+"/x", value), clientv3.OpDelete(key+"/y")).
				Else(clientv3.OpPut(key, "new"), clientv3.OpPut(key+"/y", value)).Commit()
		default:
			_, err = client.Put(ctx, key, value)
		}
		check(err)
	}
	for i := range megabytes { // enough of them fill a WAL segment
		_, err = client.Put(ctx, fmt.Sprintf("big/%d", i%3), string(make([]byte, 1<<20)))
		check(err)
	}
	_, err = client.Put(ctx, "\xff\x00\xfe", "not UTF-8")
	check(err)
	if round%2 == 0 {
		_, err = client.Revoke(ctx, short.ID)
		check(err)
	}
	if round%2 == 1 {
		now, err := client.Get(ctx, "k")
		check(err)
		var options []clientv3.CompactOption
		if round%4 == 1 {
			options = append(options, clientv3.WithCompactPhysical())
		}
		_, err = client.Compact(ctx, now.Header.Revision-int64(random.IntN(100)), options...)
		check(err)
	}
}
