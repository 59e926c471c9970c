package differential

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
)

// witness watches every key of the real server from the first revision on:
// the history that says which events any other watcher must deliver.
type witness struct {
	mutex   sync.Mutex
	changed chan struct{}
	history []past
	newest  int64
	err     error
}

func watchEverything(t *testing.T, s *side) *witness {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	stream, err := s.watch.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// The first revision to come: a watch that starts there is never behind.
	create := &pb.WatchCreateRequest{Key: []byte{0}, RangeEnd: []byte{0}, StartRevision: 2}
	if err := stream.Send(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: create}}); err != nil {
		t.Fatal(err)
	}
	w := &witness{changed: make(chan struct{})}
	go func() {
		for {
			m, err := stream.Recv()
			w.mutex.Lock()
			if err != nil {
				w.err = err
			}
			for _, e := range m.GetEvents() {
				w.history = append(w.history, past{e.Kv.ModRevision, e.Kv.Key, e.Type == 1})
				w.newest = e.Kv.ModRevision
			}
			close(w.changed)
			w.changed = make(chan struct{})
			w.mutex.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return w
}

// until waits for the history up to a revision.
func (w *witness) until(revision int64) ([]past, error) {
	deadline := time.After(callTimeout)
	for {
		w.mutex.Lock()
		history, newest, changed, err := w.history, w.newest, w.changed, w.err
		w.mutex.Unlock()
		if newest >= revision {
			return history, nil
		}
		if err != nil {
			return nil, err
		}
		select {
		case <-changed:
		case <-deadline:
			return nil, fmt.Errorf("the witness has seen %d of %d revisions", newest, revision)
		}
	}
}

func (w *witness) revision() int64 {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.newest
}

// barrier puts the marker and waits until every watcher of the streams has
// delivered, on both sides, all events up to it; then compares them.
func (p *pair) barrier(streams ...*watchPair) {
	p.t.Helper()
	put := p.do(putCall(&pb.PutRequest{Key: []byte(markerKey), Value: fmt.Append(nil, p.operation)}))
	if put.err != nil {
		p.t.Fatalf("operation %d: the marker was refused: %v", p.operation, put.err)
	}
	history, err := p.witness.until(put.messages[0].(*pb.PutResponse).Header.Revision)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, s := range streams {
		for _, w := range slices.Clone(s.watchers) {
			p.compareWatcher(s, w, history)
		}
		p.compareStream(s)
	}
}

// compareWatcher compares all events one watcher owes, and those it does not.
func (p *pair) compareWatcher(s *watchPair, w *watcher, history []past) {
	p.t.Helper()
	if w.doomed {
		p.compareServerCancel(s, w)
		return
	}
	for ; w.read < len(history); w.read++ {
		if w.wants(history[w.read]) {
			w.matched++
		}
	}
	for _, side := range s.sides() {
		complete := side.await(callTimeout, func() bool {
			return side.delivered(w.id) >= w.matched || len(side.canceled[w.id]) > 0 || side.ended != nil
		})
		if !complete || side.ended != nil {
			p.mismatch("%s: watcher %d has delivered %d of %d events (stream: %v)\nrequest: %s",
				side.name, w.id, side.delivered(w.id), w.matched, side.ended, describe(w.request))
		}
	}
	if gone := len(s.real.canceledOf(w.id)) > 0 || len(s.ours.canceledOf(w.id)) > 0; gone {
		p.compareServerCancel(s, w)
		return
	}
	s.real.mutex.Lock()
	defer s.real.mutex.Unlock()
	s.ours.mutex.Lock()
	defer s.ours.mutex.Unlock()
	real, ours := s.real.events[w.id], s.ours.events[w.id]
	for i := range max(len(real), len(ours)) {
		if i >= len(real) || i >= len(ours) || !proto.Equal(real[i], ours[i]) {
			p.mismatch("event %d of watcher %d differs (real has %d, ours %d)\nrequest: %s\nreal: %s\nours: %s",
				s.real.taken[w.id]+i, w.id, len(real), len(ours), describe(w.request), eventAt(real, i), eventAt(ours, i))
			break
		}
	}
	p.fragments[0] += s.real.fragments[w.id]
	p.fragments[1] += s.ours.fragments[w.id]
	p.events += len(real)
	for _, side := range s.sides() {
		side.taken[w.id] += len(side.events[w.id])
		side.events[w.id] = nil
		side.fragments[w.id] = 0
	}
}

func eventAt[E proto.Message](events []E, i int) string {
	if i >= len(events) {
		return "nothing"
	}
	return describe(events[i])
}

func (p *pair) compareServerCancel(s *watchPair, w *watcher) {
	p.t.Helper()
	for _, side := range s.sides() {
		side.await(callTimeout, func() bool { return len(side.canceled[w.id]) > 0 })
	}
	real, ours := answerOf(s.real.canceledOf(w.id)), answerOf(s.ours.canceledOf(w.id))
	if d := difference(real, ours); d != "" {
		p.mismatch("watcher %d cancelled by the server: %s\nrequest: %s\nreal:\n%vours:\n%v",
			w.id, d, describe(w.request), real, ours)
	}
	p.refusals["watch cancelled: compacted"]++
	// Its id stays taken, and etcd answers no progress request on the stream,
	// until the client cancels it too.
	p.cancelWatcher(s, w.id)
}

// compareStream reports broken promises and compares progress notifications.
func (p *pair) compareStream(s *watchPair) {
	p.t.Helper()
	for _, side := range s.sides() {
		side.mutex.Lock()
		for _, v := range side.violations {
			p.mismatch("%s breaks a watch promise: %s", side.name, v)
		}
		if s.kind == waiting && len(side.progress) > 0 {
			p.mismatch("%s sent progress although a watcher waits for a future revision: %s",
				side.name, describe(side.progress[0]))
		}
		side.violations, side.progress = nil, nil
		side.mutex.Unlock()
	}
}

// inStep waits until no server has a watcher of the stream left to catch up:
// only then does it answer a progress request. Compacting earlier would cancel
// a watcher on one side and not on the other.
func (p *pair) inStep(s *watchPair) {
	p.t.Helper()
	if s.kind != mixed {
		return // its watchers never were behind
	}
	for p.startsLater(s) {
		p.barrier(s)
	}
	for _, side := range s.sides() {
		answered := func() bool { return len(side.progress) > 0 }
		for deadline := time.Now().Add(callTimeout); !side.await(50*time.Millisecond, answered); {
			if time.Now().After(deadline) {
				var left []string
				for _, w := range s.watchers {
					left = append(left, fmt.Sprintf("%d from %d: %s", w.id, w.from, describe(w.request)))
				}
				p.mismatch("%s does not answer a progress request though every watcher has caught up (revision %d):\n%s",
					side.name, p.witness.revision(), strings.Join(left, "\n"))
				return
			}
			if err := side.stream.Send(progressRequest); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	p.compareStream(s)
}

// startsLater tells whether a watcher of the stream waits for a revision that
// has not been written yet.
func (p *pair) startsLater(s *watchPair) bool {
	for _, w := range s.watchers {
		if w.request.StartRevision > p.witness.revision() {
			return true
		}
	}
	return false
}

var progressRequest = &pb.WatchRequest{
	RequestUnion: &pb.WatchRequest_ProgressRequest{ProgressRequest: &pb.WatchProgressRequest{}},
}

// requestProgress asks for one progress notification and judges it by the
// stream's kind.
func (p *pair) requestProgress(s *watchPair) {
	p.t.Helper()
	p.kinds["WatchProgressRequest"]++
	p.barrier(s)
	p.send(s, progressRequest)
	p.fence(s)
	if s.kind != live {
		p.barrier(s)
		return
	}
	var first [2]*pb.WatchResponse
	for i, side := range s.sides() {
		answered := func() bool { return len(side.progress) > 0 }
		// A server may find a watcher not yet in step: then it says nothing.
		for range 20 {
			if side.await(250*time.Millisecond, answered) {
				break
			}
			if err := side.stream.Send(progressRequest); err != nil {
				p.t.Fatal(err)
			}
		}
		if !side.await(0, answered) {
			p.mismatch("%s never answered a progress request though no watcher is behind", side.name)
			return
		}
		first[i] = side.progress[0]
	}
	if !proto.Equal(first[0], first[1]) {
		p.mismatch("progress differs\nreal: %s\nours: %s", describe(first[0]), describe(first[1]))
	}
	p.compareStream(s)
}
