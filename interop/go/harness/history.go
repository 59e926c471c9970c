package harness

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

const patience = 60 * time.Second

// Write is one change that a server has acknowledged.
type Write struct {
	Key, Value string
	Kind       mvccpb.Event_EventType
	Revision   int64
}

// PutAt is a put that was answered with a revision.
func PutAt(key, value string, revision int64) Write {
	return Write{Key: key, Value: value, Kind: mvccpb.Event_PUT, Revision: revision}
}

// DeletedAt is the deletion of a key that was there.
func DeletedAt(key string, revision int64) Write {
	return Write{Key: key, Kind: mvccpb.Event_DELETE, Revision: revision}
}

// History is what one watcher of all keys has seen over all lives of a server,
// be it one program or two in turns. It holds them to what they promise:
// revisions go up by one, every event follows from those before it, nothing is
// missed or seen twice.
type History struct {
	mutex    sync.Mutex
	changed  chan struct{}
	newest   int64
	events   map[int64][]*mvccpb.Event // by revision, since the last Judge
	state    map[string]*mvccpb.KeyValue
	breaches []string
	ended    error // of the last stream
	resumed  int   // how often the watcher has been resumed
}

// NewHistory begins with an empty store.
func NewHistory() *History {
	return &History{
		changed: make(chan struct{}), newest: 1,
		events: map[int64][]*mvccpb.Event{}, state: map[string]*mvccpb.KeyValue{},
	}
}

// Follow resumes the watch after the newest revision seen. One returned
// function ends it, the other waits until the server's death has ended it.
func (h *History) Follow(t *testing.T, m *Member) (stop, wait func()) {
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

// ResumeUntil follows for a moment: until a revision has been seen.
func (h *History) ResumeUntil(t *testing.T, m *Member, revision int64) {
	t.Helper()
	stop, _ := h.Follow(t, m)
	h.Await(t, revision)
	stop()
}

// Newest is the newest revision seen.
func (h *History) Newest() int64 {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.newest
}

// Resumed is how often the watcher has been resumed.
func (h *History) Resumed() int { return h.resumed }

// Judge looks for acknowledged writes in what the watcher has seen since the
// last time, and compares its sum with all keys of a server.
func (h *History) Judge(t *testing.T, m *Member, acknowledged []Write) {
	t.Helper()
	for _, w := range acknowledged {
		h.mustHave(t, w)
	}
	h.MustMatch(t, m)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.events = map[int64][]*mvccpb.Event{}
}

// note adds a response's events and checks that revisions go up by one.
func (h *History) note(response *pb.WatchResponse) {
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

func (h *History) apply(e *mvccpb.Event) {
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

func (h *History) breach(format string, args ...any) {
	h.breaches = append(h.breaches, fmt.Sprintf(format, args...))
}

// Await waits until the watcher has seen a revision.
func (h *History) Await(t *testing.T, revision int64) {
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
func (h *History) mustHave(t *testing.T, w Write) {
	t.Helper()
	for _, e := range h.events[w.Revision] {
		if string(e.Kv.Key) == w.Key && e.Type == w.Kind && (w.Kind == mvccpb.Event_DELETE || string(e.Kv.Value) == w.Value) {
			return
		}
	}
	t.Errorf("acknowledged but gone: %v of %s at revision %d; that revision holds %v", w.Kind, w.Key, w.Revision, h.events[w.Revision])
}

// MustMatch compares the history's sum with all keys of a server.
func (h *History) MustMatch(t *testing.T, m *Member) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	all, err := pb.NewKVClient(m.Dial(t)).Range(ctx, &pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}})
	if err != nil {
		t.Fatal(err)
	}
	h.Await(t, all.Header.Revision)
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
