package kill

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"

	"kvorum.dev/interop/harness"
)

const patience = 60 * time.Second

// history is what one watcher of all keys has seen over all lives of a server.
type history struct {
	mutex    sync.Mutex
	changed  chan struct{}
	newest   int64
	events   map[int64][]*mvccpb.Event // by revision
	state    map[string]*mvccpb.KeyValue
	breaches []string
	ended    error // of the last stream
	resumed  int   // how often the watcher has been resumed
}

func newHistory() *history {
	return &history{
		changed: make(chan struct{}), newest: 1,
		events: map[int64][]*mvccpb.Event{}, state: map[string]*mvccpb.KeyValue{},
	}
}

// follow resumes the watch after the newest revision seen. One returned
// function ends it, the other waits until the server's death has ended it.
func (h *history) follow(t *testing.T, m *harness.Member) (stop, wait func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := pb.NewWatchClient(m.Dial(t)).Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h.mutex.Lock()
	from := h.newest + 1
	h.resumed++
	h.ended = nil
	h.mutex.Unlock()
	create := &pb.WatchCreateRequest{Key: []byte{0}, RangeEnd: []byte{0}, StartRevision: from}
	if err := stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: create}}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			response, err := stream.Recv()
			if err != nil {
				h.mutex.Lock()
				h.ended = err
				h.mutex.Unlock()
				return
			}
			h.note(response)
		}
	}()
	stop = func() {
		cancel()
		<-done
	}
	return stop, func() {
		t.Helper()
		defer cancel()
		select {
		case <-done:
		case <-time.After(patience):
			t.Error("the watch stream has outlived its server")
		}
	}
}

// resumeUntil follows for a moment: until a revision has been seen.
func (h *history) resumeUntil(t *testing.T, m *harness.Member, revision int64) {
	t.Helper()
	stop, _ := h.follow(t, m)
	h.await(t, revision)
	stop()
}

// note adds a response's events and checks that revisions go up by one.
func (h *history) note(response *pb.WatchResponse) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if response.Canceled {
		h.breach("the watch was cancelled: %v", response)
	}
	var last int64
	for _, e := range response.Events {
		revision := e.Kv.ModRevision
		if revision != last && revision != h.newest+1 {
			h.breach("revision %d follows %d", revision, h.newest)
		}
		last, h.newest = revision, revision
		h.events[revision] = append(h.events[revision], e)
		h.apply(e)
	}
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *history) apply(e *mvccpb.Event) {
	key := string(e.Kv.Key)
	before := h.state[key]
	switch {
	case e.Type == mvccpb.Event_DELETE && before == nil:
		h.breach("revision %d deletes %s, which is not there", e.Kv.ModRevision, key)
	case e.Type == mvccpb.Event_DELETE:
		delete(h.state, key)
		return
	case before == nil && (e.Kv.Version != 1 || e.Kv.CreateRevision != e.Kv.ModRevision):
		h.breach("a new key has a past: %v", e.Kv)
	case before != nil && (e.Kv.Version != before.Version+1 || e.Kv.CreateRevision != before.CreateRevision):
		h.breach("%v does not follow %v", e.Kv, before)
	}
	h.state[key] = e.Kv
}

func (h *history) breach(format string, args ...any) {
	h.breaches = append(h.breaches, fmt.Sprintf(format, args...))
}

// await waits until the watcher has seen a revision.
func (h *history) await(t *testing.T, revision int64) {
	t.Helper()
	deadline := time.After(patience)
	for {
		h.mutex.Lock()
		newest, changed := h.newest, h.changed
		h.mutex.Unlock()
		if newest >= revision {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			h.mutex.Lock()
			defer h.mutex.Unlock()
			t.Fatalf("the watcher has seen revision %d, the store is at %d; its stream: %v; breaches: %q",
				newest, revision, h.ended, h.breaches)
		}
	}
}

// mustHave checks one acknowledged write against what the watcher has seen.
func (h *history) mustHave(t *testing.T, w write) {
	t.Helper()
	for _, e := range h.events[w.revision] {
		if string(e.Kv.Key) == w.key && e.Type == w.kind && (w.kind == mvccpb.Event_DELETE || string(e.Kv.Value) == w.value) {
			return
		}
	}
	t.Errorf("acknowledged but gone: %v of %s at revision %d; that revision holds %v", w.kind, w.key, w.revision, h.events[w.revision])
}

// mustMatch compares the history's sum with all keys of a server.
func (h *history) mustMatch(t *testing.T, m *harness.Member) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	all, err := pb.NewKVClient(m.Dial(t)).Range(ctx, &pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}})
	if err != nil {
		t.Fatal(err)
	}
	h.await(t, all.Header.Revision)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.newest != all.Header.Revision {
		t.Errorf("the watcher is at revision %d, the store at %d", h.newest, all.Header.Revision)
	}
	if len(all.Kvs) != len(h.state) {
		t.Errorf("%d keys in the store, %d in the history", len(all.Kvs), len(h.state))
	}
	for _, kv := range all.Kvs {
		want := h.state[string(kv.Key)]
		if want == nil || want.ModRevision != kv.ModRevision || want.CreateRevision != kv.CreateRevision ||
			want.Version != kv.Version || string(want.Value) != string(kv.Value) {
			t.Fatalf("the store has %v, the history %v", kv, want)
		}
	}
	for _, b := range h.breaches {
		t.Error(b)
	}
}
