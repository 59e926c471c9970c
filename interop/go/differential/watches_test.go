package differential

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"
)

// markerKey is put at every barrier; each stream watches it under markerID.
const (
	markerKey = "~marker"
	markerID  = 1 << 40
)

// watchSide is one side of a watch stream: what it has received, sorted by
// watcher. Everything in it is guarded by mutex.
type watchSide struct {
	name   string
	stream pb.Watch_WatchClient
	cancel context.CancelFunc

	mutex      sync.Mutex
	changed    chan struct{} // closed and replaced at every response
	created    []*pb.WatchResponse
	canceled   map[int64][]*pb.WatchResponse
	progress   []*pb.WatchResponse
	events     map[int64][]*mvccpb.Event
	taken      map[int64]int // events compared and dropped
	fragments  map[int64]int
	fragmented map[int64]int64 // header revision of responses that go on in the next
	violations []string
	newest     map[int64]int64 // newest revision delivered, per watcher
	open       map[int64]bool  // the last response was not the last fragment
	bookmarks  map[int64]int64 // newest progress seen since a watcher was created
	ended      error
}

func openWatchSide(t *testing.T, s *side) *watchSide {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	stream, err := s.watch.Watch(ctx)
	if err != nil {
		t.Fatalf("%s: opening a watch stream: %v", s.name, err)
	}
	w := &watchSide{
		name: s.name, stream: stream, cancel: cancel,
		changed:  make(chan struct{}),
		canceled: map[int64][]*pb.WatchResponse{}, events: map[int64][]*mvccpb.Event{},
		taken: map[int64]int{}, fragments: map[int64]int{}, fragmented: map[int64]int64{},
		newest: map[int64]int64{}, open: map[int64]bool{}, bookmarks: map[int64]int64{},
	}
	go w.receive()
	return w
}

func (w *watchSide) receive() {
	for {
		m, err := w.stream.Recv()
		w.mutex.Lock()
		if err != nil {
			w.ended = err
		} else {
			w.note(m)
		}
		close(w.changed)
		w.changed = make(chan struct{})
		w.mutex.Unlock()
		if err != nil {
			return
		}
	}
}

// note files one response and checks the promises that need no second server.
func (w *watchSide) note(m *pb.WatchResponse) {
	m.GetHeader().RaftTerm = 0
	id := m.WatchId
	switch {
	case m.Created:
		w.created = append(w.created, m)
		if !m.Canceled {
			w.newest[id], w.open[id], w.bookmarks[id] = 0, false, 0
		}
		return
	case m.Canceled:
		w.canceled[id] = append(w.canceled[id], m)
		return
	case len(m.Events) == 0:
		w.progress = append(w.progress, m)
		for watcher := range w.bookmarks {
			w.bookmarks[watcher] = m.Header.Revision
		}
		return
	}
	first, last := m.Events[0].Kv.ModRevision, m.Events[len(m.Events)-1].Kv.ModRevision
	if first < w.newest[id] || first == w.newest[id] && !w.open[id] {
		w.violate("watcher %d: revision %d after %d", id, first, w.newest[id])
	}
	if first <= w.bookmarks[id] {
		w.violate("watcher %d: revision %d after progress said %d", id, first, w.bookmarks[id])
	}
	if m.Header.Revision < last {
		w.violate("watcher %d: header revision %d, event revision %d", id, m.Header.Revision, last)
	}
	for i := 1; i < len(m.Events); i++ {
		if m.Events[i].Kv.ModRevision < m.Events[i-1].Kv.ModRevision {
			w.violate("watcher %d: events out of order within a response", id)
		}
	}
	w.newest[id], w.open[id] = last, m.Fragment
	w.noteFragment(m)
	w.events[id] = append(w.events[id], m.Events...)
}

// fragmentBytesMax is where a response for a watcher with fragment=true is cut:
// --max-request-bytes and 512 KiB.
const fragmentBytesMax = 1572864 + 512*1024

// noteFragment checks that fragments belong together and that only what is too
// large is cut.
func (w *watchSide) noteFragment(m *pb.WatchResponse) {
	id := m.WatchId
	if from := w.fragmented[id]; from != 0 && from != m.Header.Revision {
		w.violate("watcher %d: a fragment at revision %d goes on at %d", id, from, m.Header.Revision)
	}
	w.fragmented[id] = 0
	if m.Fragment {
		w.fragmented[id] = m.Header.Revision
		w.fragments[id]++
	}
	if w.fragments[id] > 0 && len(m.Events) > 1 && proto.Size(m) > fragmentBytesMax {
		w.violate("watcher %d: a fragment of %d bytes", id, proto.Size(m))
	}
}

func (w *watchSide) violate(format string, args ...any) {
	w.violations = append(w.violations, fmt.Sprintf(format, args...))
}

// await waits until a condition on the received holds; false on timeout.
func (w *watchSide) await(timeout time.Duration, condition func() bool) bool {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		w.mutex.Lock()
		holds, changed := condition(), w.changed
		w.mutex.Unlock()
		if holds {
			return true
		}
		select {
		case <-changed:
		case <-timer.C:
			return false
		}
	}
}

// delivered is how many events a watcher has received in all.
func (w *watchSide) delivered(id int64) int { return w.taken[id] + len(w.events[id]) }

// watcher is what we know of one watcher that exists on both sides.
type watcher struct {
	id      int64
	request *pb.WatchCreateRequest
	from    int64 // first revision it must deliver
	doomed  bool  // it starts below the compacted revision
	matched int   // events of the history it must have delivered
	read    int   // how much of the history has been matched
}

// wants tells whether an event of the history belongs to the watcher.
func (w *watcher) wants(e past) bool {
	if e.revision < w.from || !inSpan(e.key, w.request.Key, w.request.RangeEnd) {
		return false
	}
	for _, filter := range w.request.Filters {
		if filter == pb.WatchCreateRequest_NOPUT && !e.deleted || filter == pb.WatchCreateRequest_NODELETE && e.deleted {
			return false
		}
	}
	return true
}

// past is one event of the store's history, as the witness has seen it.
type past struct {
	revision int64
	key      []byte
	deleted  bool
}

// kind says what may be expected of progress requests on a stream.
type kind int

const (
	mixed   kind = iota // any watchers: an answer may come or not
	live                // no watcher is ever behind: one answer each
	waiting             // one watcher waits for a far revision: never an answer
)

// watchPair is one watch stream on either side.
type watchPair struct {
	kind       kind
	real, ours *watchSide
	watchers   []*watcher
	creations  int // created replies that must have come
}

func (p *pair) openWatch(t *testing.T, k kind) *watchPair {
	s := &watchPair{kind: k, real: openWatchSide(t, p.real), ours: openWatchSide(t, p.ours)}
	p.createWatcher(s, &pb.WatchCreateRequest{Key: []byte(markerKey), WatchId: markerID})
	if k == waiting {
		p.createWatcher(s, &pb.WatchCreateRequest{Key: []byte("k"), StartRevision: 1 << 40})
	}
	return s
}

func (s *watchPair) close() {
	s.real.cancel()
	s.ours.cancel()
}

func (s *watchPair) sides() [2]*watchSide { return [2]*watchSide{s.real, s.ours} }

// createWatcher creates a watcher on both sides, compares the replies and
// remembers the watcher if it was accepted.
func (p *pair) createWatcher(s *watchPair, r *pb.WatchCreateRequest) {
	p.t.Helper()
	p.kinds["WatchCreateRequest"]++
	p.send(s, &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{
		CreateRequest: proto.Clone(r).(*pb.WatchCreateRequest)}})
	s.creations++
	var replies [2]*pb.WatchResponse
	for i, side := range s.sides() {
		if !side.await(callTimeout, func() bool { return len(side.created) >= s.creations || side.ended != nil }) ||
			side.ended != nil {
			p.t.Fatalf("operation %d: %s did not answer %s: %v", p.operation, side.name, describe(r), side.ended)
		}
		replies[i] = side.created[s.creations-1]
	}
	if !proto.Equal(replies[0], replies[1]) {
		p.mismatch("watch create replies differ\nrequest: %s\nreal: %s\nours: %s",
			describe(r), describe(replies[0]), describe(replies[1]))
	}
	if replies[0].Canceled {
		p.refusals["watch refused: "+replies[0].CancelReason]++
		return
	}
	w := &watcher{id: replies[0].WatchId, request: proto.Clone(r).(*pb.WatchCreateRequest), from: r.StartRevision,
		doomed: r.StartRevision > 0 && r.StartRevision < p.compacted}
	if len(r.Key) == 0 {
		w.request.Key = []byte{0}
	}
	if w.from == 0 {
		w.from = replies[0].Header.Revision + 1
	}
	s.watchers = append(s.watchers, w)
}

func (p *pair) send(s *watchPair, r *pb.WatchRequest) {
	p.t.Helper()
	for _, side := range s.sides() {
		if err := side.stream.Send(r); err != nil {
			p.t.Fatalf("operation %d: %s: sending %s: %v", p.operation, side.name, describe(r), err)
		}
	}
}

// fence waits until both servers have handled every earlier request of the
// stream, by a creation that both refuse.
func (p *pair) fence(s *watchPair) {
	p.t.Helper()
	p.createWatcher(s, &pb.WatchCreateRequest{Key: []byte("x"), RangeEnd: []byte("a")})
}

// cancelWatcher cancels an id, known or not, and compares the replies.
func (p *pair) cancelWatcher(s *watchPair, id int64) {
	p.t.Helper()
	p.kinds["WatchCancelRequest"]++
	before := len(s.real.canceledOf(id))
	p.send(s, &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CancelRequest{
		CancelRequest: &pb.WatchCancelRequest{WatchId: id}}})
	p.fence(s)
	// Cancel replies and creation replies share one queue, so all have come.
	real, ours := s.real.canceledOf(id)[before:], s.ours.canceledOf(id)[before:]
	if d := difference(answerOf(real), answerOf(ours)); d != "" {
		p.mismatch("cancelling watcher %d: %s\nreal:\n%vours:\n%v", id, d, answerOf(real), answerOf(ours))
	}
	s.forget(id)
}

func (w *watchSide) canceledOf(id int64) []*pb.WatchResponse {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.canceled[id]
}

func answerOf(responses []*pb.WatchResponse) (a answer) {
	for _, m := range responses {
		a.messages = append(a.messages, m)
	}
	return a
}

func (s *watchPair) forget(id int64) {
	for i, w := range s.watchers {
		if w.id == id {
			s.watchers = append(s.watchers[:i], s.watchers[i+1:]...)
			break
		}
	}
	for _, side := range s.sides() {
		side.mutex.Lock()
		delete(side.events, id)
		delete(side.canceled, id)
		delete(side.bookmarks, id)
		delete(side.taken, id)
		delete(side.fragments, id)
		side.mutex.Unlock()
	}
}
