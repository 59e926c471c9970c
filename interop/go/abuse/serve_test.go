package abuse

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"kvorum.dev/interop/harness"
)

// mustServe writes and reads back.
func mustServe(t *testing.T, m *harness.Member) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client := m.Client(t)
	value := fmt.Sprint(time.Now().UnixNano())
	if _, err := client.Put(ctx, "serves", value); err != nil {
		t.Fatalf("%s refuses a put: %v", m.Name, err)
	}
	got, err := client.Get(ctx, "serves")
	if err != nil || len(got.Kvs) != 1 || string(got.Kvs[0].Value) != value {
		t.Fatalf("%s shows %v, %v", m.Name, got, err)
	}
}

func refuseTxnOf(t *testing.T, m *harness.Member, ops int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var gets []clientv3.Op
	for range ops {
		gets = append(gets, clientv3.OpGet("k"))
	}
	if _, err := m.Client(t).Txn(ctx).Then(gets...).Commit(); !errors.Is(err, rpctypes.ErrTooManyOps) {
		t.Errorf("a txn of %d operations: %v", ops, err)
	}
}

// fill puts keys and returns how many were acknowledged before an error.
func fill(t *testing.T, m *harness.Member, prefix string, count, size int) (int, error) {
	t.Helper()
	client := m.Client(t)
	for i := range count {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_, err := client.Put(ctx, fmt.Sprintf("%s%06d", prefix, i), fmt.Sprintf("%d %s", i, make([]byte, size)))
		cancel()
		if err != nil {
			return i, err
		}
	}
	return count, nil
}

// mustHold checks that the first count keys of fill are there, in order.
func mustHold(t *testing.T, m *harness.Member, prefix string, count int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := m.Client(t).Get(ctx, prefix, clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Kvs) < count {
		t.Fatalf("%d keys were acknowledged, %d are there", count, len(got.Kvs))
	}
	for i, kv := range got.Kvs {
		if want := fmt.Sprintf("%s%06d", prefix, i); string(kv.Key) != want {
			t.Fatalf("%s is missing", want)
		}
	}
}

// heldKeys says how many of the keys written by fill are there.
func heldKeys(t *testing.T, m *harness.Member, written int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := m.Client(t).Get(ctx, "k", clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("with %d of %d keys at revision %d", got.Count, written, got.Header.Revision)
}
