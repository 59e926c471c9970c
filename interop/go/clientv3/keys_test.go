package clientv3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
	"go.etcd.io/etcd/client/v3/mirror"
	"go.etcd.io/etcd/client/v3/namespace"
	"go.etcd.io/etcd/client/v3/ordering"
	"go.uber.org/zap"
	"google.golang.org/grpc/health/grpc_health_v1"

	"kvorum.dev/interop/harness"
)

func start(t *testing.T) (context.Context, *harness.Member, *clientv3.Client) {
	m := harness.StartSubject(t)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx, m, m.Client(t)
}

func must[V any](v V, err error) func(t *testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestErrorsReachTheClientAsItsTypes(t *testing.T) {
	ctx, _, c := start(t)
	must(c.Put(ctx, "a", "1"))(t)
	must(c.Put(ctx, "a", "2"))(t)
	must(c.Compact(ctx, 2))(t)
	many := make([]clientv3.Op, 129)
	for i := range many {
		many[i] = clientv3.OpGet("k")
	}
	for name, check := range map[string]struct {
		want error
		run  func() error
	}{
		"compacted":      {rpctypes.ErrCompacted, func() error { _, err := c.Get(ctx, "a", clientv3.WithRev(1)); return err }},
		"future":         {rpctypes.ErrFutureRev, func() error { _, err := c.Get(ctx, "a", clientv3.WithRev(99)); return err }},
		"compact again":  {rpctypes.ErrCompacted, func() error { _, err := c.Compact(ctx, 2); return err }},
		"empty key":      {rpctypes.ErrEmptyKey, func() error { _, err := c.Put(ctx, "", "v"); return err }},
		"unknown lease":  {rpctypes.ErrLeaseNotFound, func() error { _, err := c.Put(ctx, "a", "v", clientv3.WithLease(77)); return err }},
		"revoke unknown": {rpctypes.ErrLeaseNotFound, func() error { _, err := c.Revoke(ctx, 77); return err }},
		"lease too long": {rpctypes.ErrLeaseTTLTooLarge, func() error { _, err := c.Grant(ctx, 9_000_000_001); return err }},
		"too large":      {rpctypes.ErrRequestTooLarge, func() error { _, err := c.Put(ctx, "a", strings.Repeat("x", 1_600_000)); return err }},
		"too many ops":   {rpctypes.ErrTooManyOps, func() error { _, err := c.Txn(ctx).Then(many...).Commit(); return err }},
		"duplicate key": {rpctypes.ErrDuplicateKey, func() error {
			_, err := c.Txn(ctx).Then(clientv3.OpPut("d", "1"), clientv3.OpPut("d", "2")).Commit()
			return err
		}},
		"ignoring a lack": {rpctypes.ErrKeyNotFound, func() error { _, err := c.Put(ctx, "none", "", clientv3.WithIgnoreValue()); return err }},
	} {
		if err := check.run(); !errors.Is(err, check.want) {
			t.Errorf("%s: %v instead of %v", name, err, check.want)
		}
	}
	expired, cancel := context.WithTimeout(ctx, time.Nanosecond)
	defer cancel()
	if _, err := c.Get(expired, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("deadline: %v", err)
	}
}

func TestLargeAndStrangeKeysComeBackAsTheyWere(t *testing.T) {
	ctx, _, c := start(t)
	value := bytes.Repeat([]byte{0, 0xff, 0xfe, 'x'}, 1<<18) // 1 MB
	for _, key := range []string{"\x00", "\xff\xff", "\xc3\x28", strings.Repeat("long", 1<<17)} {
		must(c.Put(ctx, key, string(value[:1<<19])))(t)
		got := must(c.Get(ctx, key))(t)
		if len(got.Kvs) != 1 || string(got.Kvs[0].Key) != key || !bytes.Equal(got.Kvs[0].Value, value[:1<<19]) {
			t.Errorf("a key of %d bytes does not come back", len(key))
		}
	}
	must(c.Put(ctx, "value", string(value)))(t)
	if got := must(c.Get(ctx, "value"))(t); !bytes.Equal(got.Kvs[0].Value, value) {
		t.Error("a value of 1 MB does not come back")
	}
}

func TestTransactionsNestAndBranch(t *testing.T) {
	ctx, _, c := start(t)
	inner := clientv3.OpTxn(
		[]clientv3.Cmp{clientv3.Compare(clientv3.Value("a"), "=", "1")},
		[]clientv3.Op{clientv3.OpPut("b", "inner"), clientv3.OpGet("a")}, nil)
	must(c.Put(ctx, "a", "1"))(t)
	answer := must(c.Txn(ctx).If(clientv3.Compare(clientv3.Version("p/").WithPrefix(), "=", 0)).
		Then(clientv3.OpPut("c", "outer"), inner).Commit())(t)
	if !answer.Succeeded || len(answer.Responses) != 2 || !answer.Responses[1].GetResponseTxn().Succeeded {
		t.Fatalf("%v", answer)
	}
	all := must(c.Get(ctx, "", clientv3.WithFromKey()))(t)
	if len(all.Kvs) != 3 || all.Kvs[1].ModRevision != all.Kvs[2].ModRevision {
		t.Errorf("%v", all)
	}
}

func TestNamespacesKeepKeysApart(t *testing.T) {
	ctx, _, c := start(t)
	inside := namespace.NewKV(c.KV, "ns/")
	events := namespace.NewWatcher(c.Watcher, "ns/").Watch(ctx, "", clientv3.WithPrefix(), clientv3.WithRev(2))
	must(inside.Put(ctx, "a", "1"))(t)
	must(c.Put(ctx, "a", "outside"))(t)
	must(inside.Txn(ctx).If(clientv3.Compare(clientv3.Value("a"), "=", "1")).Then(clientv3.OpDelete("a")).Commit())(t)
	if got := must(c.Get(ctx, "ns/", clientv3.WithPrefix()))(t); got.Count != 0 {
		t.Errorf("%v", got)
	}
	var seen []string
	for len(seen) < 2 {
		for _, e := range (<-events).Events {
			seen = append(seen, fmt.Sprintf("%v %s", e.Type, e.Kv.Key))
		}
	}
	if got := strings.Join(seen, ", "); got != "PUT a, DELETE a" {
		t.Error(got)
	}
}

func TestKubernetesCallsWork(t *testing.T) {
	m := harness.StartSubject(t)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	k, err := kubernetes.New(clientv3.Config{Endpoints: []string{m.Endpoint()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	var last int64
	for i := range 25 {
		put := must(k.Kubernetes.OptimisticPut(ctx, fmt.Sprintf("/pods/%02d", i), []byte("v"), 0, kubernetes.PutOptions{}))(t)
		if !put.Succeeded {
			t.Fatal("a create was refused")
		}
		last = put.Revision
	}
	again := must(k.Kubernetes.OptimisticPut(ctx, "/pods/00", []byte("v"), 0, kubernetes.PutOptions{GetOnFailure: true}))(t)
	if again.Succeeded || again.KV == nil {
		t.Errorf("a second create: %+v", again)
	}
	page := must(k.Kubernetes.List(ctx, "/pods/", kubernetes.ListOptions{Limit: 10, Revision: last}))(t)
	rest := must(k.Kubernetes.List(ctx, "/pods/", kubernetes.ListOptions{Revision: last, Continue: string(page.Kvs[9].Key) + "\x00"}))(t)
	if page.Count != 25 || len(page.Kvs) != 10 || len(rest.Kvs) != 15 {
		t.Errorf("pages of %d and %d, count %d", len(page.Kvs), len(rest.Kvs), page.Count)
	}
	if n := must(k.Kubernetes.Count(ctx, "/pods/", kubernetes.CountOptions{}))(t); n != 25 {
		t.Errorf("count %d", n)
	}
	one := must(k.Kubernetes.Get(ctx, "/pods/07", kubernetes.GetOptions{}))(t)
	deleted := must(k.Kubernetes.OptimisticDelete(ctx, "/pods/07", one.KV.ModRevision, kubernetes.DeleteOptions{}))(t)
	if !deleted.Succeeded {
		t.Error("a delete at the right revision was refused")
	}
}

func TestMirroringAndOrderingWork(t *testing.T) {
	ctx, _, c := start(t)
	for i := range 25 { // more than one page of the mirror
		var puts []clientv3.Op
		for j := range 100 {
			puts = append(puts, clientv3.OpPut(fmt.Sprintf("m/%02d%02d", i, j), "v"))
		}
		must(c.Txn(ctx).Then(puts...).Commit())(t)
	}
	pages, errs := mirror.NewSyncer(c, "m/", 0).SyncBase(ctx)
	count := 0
	for page := range pages {
		count += len(page.Kvs)
	}
	if err := <-errs; err != nil || count != 2500 {
		t.Errorf("mirrored %d keys: %v", count, err)
	}
	ordered := ordering.NewKV(c.KV, func(clientv3.Op, clientv3.OpResponse, int64) error { return errors.New("went back") })
	must(ordered.Get(ctx, "m/0001"))(t)
	must(ordered.Get(ctx, "m/0001", clientv3.WithSerializable()))(t)
}

func TestHealthAndMaintenanceAnswer(t *testing.T) {
	ctx, m, c := start(t)
	health := grpc_health_v1.NewHealthClient(m.Dial(t))
	answer := must(health.Check(ctx, &grpc_health_v1.HealthCheckRequest{}))(t)
	if answer.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("health %v", answer)
	}
	watch := must(health.Watch(ctx, &grpc_health_v1.HealthCheckRequest{}))(t)
	if first := must(watch.Recv())(t); first.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("health watch %v", first)
	}
	if _, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "none"}); err == nil {
		t.Error("an unknown service is healthy")
	}
	must(c.Put(ctx, "a", "1"))(t)
	status := must(c.Status(ctx, m.Endpoint()))(t)
	if status.Version != "3.7.1" || status.Leader != status.Header.MemberId || len(status.Errors) > 0 {
		t.Errorf("%v", status)
	}
	must(c.Defragment(ctx, m.Endpoint()))(t)
	must(c.AlarmList(ctx))(t)
	must(c.HashKV(ctx, m.Endpoint(), 0))(t)
	if members := must(c.MemberList(ctx))(t); len(members.Members) != 1 || members.Members[0].Name != "m0" {
		t.Errorf("%v", members)
	}
	if err := c.Sync(ctx); err != nil {
		t.Error(err)
	}
}
