package clientv3

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"kvorum.dev/interop/harness"
)

// TestAWatchResumesByItselfAcrossRestarts relies on the client alone: its
// channel must show each revision once, whatever becomes of the server.
func TestAWatchResumesByItselfAcrossRestarts(t *testing.T) {
	ctx, m, c := start(t)
	events := c.Watch(ctx, "w/", clientv3.WithPrefix(), clientv3.WithRev(2))
	writer := m.Client(t)
	next := int64(2)
	for life := range 3 {
		for i := range 50 {
			must(writer.Put(ctx, fmt.Sprintf("w/%d", i), fmt.Sprint(life)))(t)
		}
		if life == 1 {
			m.Kill()
		} else {
			m.Terminate(t)
		}
		m.Start(t)
		must(writer.Put(ctx, "w/after", fmt.Sprint(life)))(t)
	}
	for next < 2+3*51 {
		response, open := <-events
		if !open || response.Err() != nil {
			t.Fatalf("the watch has ended: %v", response.Err())
		}
		for _, e := range response.Events {
			if e.Kv.ModRevision != next {
				t.Fatalf("revision %d instead of %d", e.Kv.ModRevision, next)
			}
			next++
		}
	}
}

func TestAWatchFromCompactedHistoryIsRefused(t *testing.T) {
	ctx, _, c := start(t)
	for range 10 {
		must(c.Put(ctx, "k", "v"))(t)
	}
	must(c.Compact(ctx, 8))(t)
	response := <-c.Watch(ctx, "k", clientv3.WithRev(3))
	if !errors.Is(response.Err(), rpctypes.ErrCompacted) || response.CompactRevision != 8 {
		t.Errorf("%v, compacted %d", response.Err(), response.CompactRevision)
	}
	if from := (<-c.Watch(ctx, "k", clientv3.WithRev(8))); len(from.Events) != 4 {
		t.Errorf("from the compacted revision itself: %v", from)
	}
}

func TestWatchOptionsHold(t *testing.T) {
	ctx, _, c := start(t)
	created := c.Watch(ctx, "o/", clientv3.WithPrefix(), clientv3.WithCreatedNotify(), clientv3.WithPrevKV())
	if first := <-created; !first.Created {
		t.Fatalf("no created notification first: %v", first)
	}
	deletes := c.Watch(ctx, "o/", clientv3.WithPrefix(), clientv3.WithRev(2), clientv3.WithFilterPut())
	must(c.Put(ctx, "o/a", "1"))(t)
	must(c.Put(ctx, "o/a", "2"))(t)
	must(c.Delete(ctx, "o/a"))(t)
	var seen []string
	for len(seen) < 3 {
		for _, e := range (<-created).Events {
			seen = append(seen, fmt.Sprintf("create=%v modify=%v prev=%s", e.IsCreate(), e.IsModify(), e.PrevKv.GetValue()))
		}
	}
	want := []string{"create=true modify=false prev=", "create=false modify=true prev=1", "create=false modify=false prev=2"}
	for i := range want {
		if seen[i] != want[i] {
			t.Errorf("%q instead of %q", seen[i], want[i])
		}
	}
	if e := (<-deletes).Events; len(e) != 1 || e[0].Type != clientv3.EventTypeDelete {
		t.Errorf("filtered: %v", e)
	}
}

func TestProgressIsRequestedAndNotifiedByItself(t *testing.T) {
	m := harness.StartSubject(t, "--watch-progress-notify-interval=200ms")
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	c := m.Client(t)
	must(c.Put(ctx, "k", "v"))(t)
	asked := c.Watch(ctx, "other")
	for deadline := time.Now().Add(30 * time.Second); ; {
		if err := c.RequestProgress(ctx); err != nil {
			t.Fatal(err)
		}
		select {
		case response := <-asked:
			if !response.IsProgressNotify() || response.Header.Revision != 2 {
				t.Fatalf("%v", response)
			}
			notified := <-c.Watch(ctx, "another", clientv3.WithProgressNotify())
			if !notified.IsProgressNotify() || notified.Header.Revision != 2 {
				t.Fatalf("%v", notified)
			}
			return
		case <-time.After(200 * time.Millisecond):
			if time.Now().After(deadline) {
				t.Fatal("no progress notification")
			}
		}
	}
}

func TestManyWatchersOfOneStreamAllSeeEverything(t *testing.T) {
	ctx, _, c := start(t)
	const watchers, writes = 200, 100
	channels := make([]clientv3.WatchChan, watchers)
	for i := range channels {
		options := []clientv3.OpOption{clientv3.WithRev(2), clientv3.WithPrevKV()}
		if i%2 == 0 {
			options = append(options, clientv3.WithFragment())
		}
		channels[i] = c.Watch(ctx, "k", options...)
	}
	for i := range writes {
		must(c.Put(ctx, "k", fmt.Sprintf("%d %s", i, make([]byte, 2000))))(t)
	}
	for i, channel := range channels {
		for next := int64(2); next < 2+writes; {
			response, open := <-channel
			if !open {
				t.Fatalf("watcher %d has ended", i)
			}
			for _, e := range response.Events {
				if e.Kv.ModRevision != next || next > 2 && e.PrevKv.GetModRevision() != next-1 {
					t.Fatalf("watcher %d: %v instead of revision %d", i, e.Kv.ModRevision, next)
				}
				next++
			}
		}
	}
}

// TestAStoppingServerEndsStreamsAsUnavailable is what lets clients resume: any
// other code tells them that their watch is over.
func TestAStoppingServerEndsStreamsAsUnavailable(t *testing.T) {
	ctx, m, c := start(t)
	conn := m.Dial(t)
	watch := must(pb.NewWatchClient(conn).Watch(ctx))(t)
	create := &pb.WatchCreateRequest{Key: []byte("k")}
	if err := watch.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: create}}); err != nil {
		t.Fatal(err)
	}
	must(watch.Recv())(t)
	lease := must(c.Grant(ctx, 100))(t)
	alive := must(pb.NewLeaseClient(conn).LeaseKeepAlive(ctx))(t)
	if err := alive.Send(&pb.LeaseKeepAliveRequest{ID: int64(lease.ID)}); err != nil {
		t.Fatal(err)
	}
	must(alive.Recv())(t)
	m.Terminate(t)
	_, watchErr := watch.Recv()
	_, aliveErr := alive.Recv()
	for name, err := range map[string]error{"watch": watchErr, "keep-alive": aliveErr} {
		if status.Code(err) != codes.Unavailable {
			t.Errorf("the %s stream ends with %v", name, err)
		}
	}
}
