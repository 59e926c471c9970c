package clientv3

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.etcd.io/etcd/client/v3/leasing"
)

func TestMutexesExcludeEachOther(t *testing.T) {
	ctx, m, _ := start(t)
	counter, inside := 0, 0
	var wait sync.WaitGroup
	for range 5 {
		c := m.Client(t)
		wait.Go(func() {
			session, err := concurrency.NewSession(c, concurrency.WithTTL(30))
			if err != nil {
				t.Error(err)
				return
			}
			defer session.Close()
			mutex := concurrency.NewMutex(session, "mutex")
			for range 10 {
				if err := mutex.Lock(ctx); err != nil {
					t.Error(err)
					return
				}
				inside++
				counter += inside // only ever 1 when alone
				inside--
				if err := mutex.Unlock(ctx); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	if counter != 50 {
		t.Errorf("%d instead of 50", counter)
	}
}

func TestTryLockRefusesWhatAnotherHolds(t *testing.T) {
	ctx, m, c := start(t)
	first := must(concurrency.NewSession(c))(t)
	second := must(concurrency.NewSession(m.Client(t)))(t)
	if err := concurrency.NewMutex(first, "m").TryLock(ctx); err != nil {
		t.Fatal(err)
	}
	waiting := concurrency.NewMutex(second, "m")
	if err := waiting.TryLock(ctx); !errors.Is(err, concurrency.ErrLocked) {
		t.Errorf("%v", err)
	}
	first.Close() // revokes its lease, which frees the lock
	if err := waiting.Lock(ctx); err != nil {
		t.Error(err)
	}
}

func TestElectionsHaveOneLeaderAfterTheOther(t *testing.T) {
	ctx, m, c := start(t)
	observer := concurrency.NewElection(must(concurrency.NewSession(c))(t), "election")
	observed := observer.Observe(ctx)
	for i := range 3 {
		session := must(concurrency.NewSession(m.Client(t)))(t)
		election := concurrency.NewElection(session, "election")
		if err := election.Campaign(ctx, fmt.Sprint("leader ", i)); err != nil {
			t.Fatal(err)
		}
		if leader := must(observer.Leader(ctx))(t); string(leader.Kvs[0].Value) != fmt.Sprint("leader ", i) {
			t.Errorf("%v", leader)
		}
		if err := election.Proclaim(ctx, fmt.Sprint("proclaimed ", i)); err != nil {
			t.Fatal(err)
		}
		for answer := range observed {
			if string(answer.Kvs[0].Value) == fmt.Sprint("proclaimed ", i) {
				break
			}
		}
		if i%2 == 0 {
			if err := election.Resign(ctx); err != nil {
				t.Fatal(err)
			}
		} else {
			session.Close()
		}
	}
	if _, err := observer.Leader(ctx); !errors.Is(err, concurrency.ErrElectionNoLeader) {
		t.Errorf("%v", err)
	}
}

func TestSoftwareTransactionsLoseNoUpdate(t *testing.T) {
	ctx, m, c := start(t)
	for i := range 5 {
		must(c.Put(ctx, fmt.Sprint("account/", i), "100"))(t)
	}
	var wait sync.WaitGroup
	for w := range 6 {
		client := m.Client(t)
		wait.Go(func() {
			for n := range 20 {
				from, to := fmt.Sprint("account/", (w+n)%5), fmt.Sprint("account/", (w*3+n*2+1)%5)
				if from == to {
					continue
				}
				transfer := func(stm concurrency.STM) error {
					var a, b int
					fmt.Sscan(stm.Get(from), &a)
					fmt.Sscan(stm.Get(to), &b)
					stm.Put(from, fmt.Sprint(a-1))
					stm.Put(to, fmt.Sprint(b+1))
					return nil
				}
				level := concurrency.WithIsolation([]concurrency.Isolation{
					concurrency.SerializableSnapshot, concurrency.Serializable, concurrency.RepeatableReads}[n%3])
				if _, err := concurrency.NewSTM(client, transfer, level, concurrency.WithAbortContext(ctx)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	sum := 0
	for _, kv := range must(c.Get(ctx, "account/", clientv3.WithPrefix()))(t).Kvs {
		var balance int
		fmt.Sscan(string(kv.Value), &balance)
		sum += balance
	}
	if sum != 500 {
		t.Errorf("500 became %d", sum)
	}
}

func TestKeptLeasesLiveAndForgottenOnesExpire(t *testing.T) {
	ctx, _, c := start(t)
	kept, forgotten := must(c.Grant(ctx, 2))(t), must(c.Grant(ctx, 1))(t)
	if forgotten.TTL != 2 {
		t.Errorf("the least TTL is %d, not 2", forgotten.TTL)
	}
	must(c.Put(ctx, "kept", "v", clientv3.WithLease(kept.ID)))(t)
	must(c.Put(ctx, "forgotten", "v", clientv3.WithLease(forgotten.ID)))(t)
	gone := c.Watch(ctx, "forgotten")
	alive := must(c.KeepAlive(ctx, kept.ID))(t)
	if e := (<-gone).Events; len(e) != 1 || e[0].Type != clientv3.EventTypeDelete {
		t.Errorf("%v", e)
	}
	for range 2 {
		if answer := <-alive; answer == nil || answer.TTL != 2 {
			t.Fatalf("%v", answer)
		}
	}
	if got := must(c.Get(ctx, "kept"))(t); got.Count != 1 {
		t.Error("a kept lease has expired")
	}
	if left := must(c.TimeToLive(ctx, forgotten.ID))(t); left.TTL != -1 {
		t.Errorf("%v", left)
	}
	must(c.Revoke(ctx, kept.ID))(t)
	for answer := range alive { // closes once the client learns of it
		_ = answer
	}
}

func TestLeasesSurviveARestart(t *testing.T) {
	ctx, m, c := start(t)
	lease := must(c.Grant(ctx, 1000))(t)
	short := must(c.Grant(ctx, 2))(t)
	must(c.Put(ctx, "long", "v", clientv3.WithLease(lease.ID)))(t)
	must(c.Put(ctx, "short", "v", clientv3.WithLease(short.ID)))(t)
	m.Kill()
	m.Start(t)
	left := must(c.TimeToLive(ctx, lease.ID, clientv3.WithAttachedKeys()))(t)
	if left.GrantedTTL != 1000 || len(left.Keys) != 1 {
		t.Errorf("%+v", left)
	}
	for deadline := time.Now().Add(30 * time.Second); must(c.Get(ctx, "short"))(t).Count > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a short lease never expires after a restart")
		}
	}
}

func TestLeasingCachesStayCoherent(t *testing.T) {
	ctx, m, c := start(t)
	caching, stop, err := leasing.NewKV(m.Client(t), "leases/")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	must(c.Put(ctx, "k", "1"))(t)
	must(caching.Get(ctx, "k"))(t)
	must(caching.Put(ctx, "k", "2"))(t)
	if got := must(c.Get(ctx, "k"))(t); string(got.Kvs[0].Value) != "2" {
		t.Errorf("%v", got)
	}
	if got := must(caching.Get(ctx, "k"))(t); string(got.Kvs[0].Value) != "2" {
		t.Errorf("%v", got)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := caching.Get(cancelled, "other"); err == nil {
		t.Error("a cancelled call succeeds")
	}
}
