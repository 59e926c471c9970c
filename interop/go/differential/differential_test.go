package differential

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"kvorum.dev/interop/harness"
)

func sortedKeys(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }

// run is one differential run: the servers, the generator, the open watches.
type run struct {
	*pair
	world   *world
	watches []*watchPair
}

func startRun(t *testing.T, seed int64) *run {
	real, ours := harness.StartReference(t), harness.StartSubject(t)
	p := &pair{
		t: t, real: newSide(t, real), ours: newSide(t, ours),
		kinds: map[string]int{}, refusals: map[string]int{},
	}
	awaitClusterVersion(t, p.real)
	awaitClusterVersion(t, p.ours)
	p.witness = watchEverything(t, p.real)
	r := &run{pair: p, world: &world{draw: newDraw(seed), revision: 1, compacted: -1}}
	for _, k := range []kind{mixed, live, waiting, mixed} {
		r.watches = append(r.watches, p.openWatch(t, k))
	}
	return r
}

// awaitClusterVersion waits for the last thing a start brings into the log.
func awaitClusterVersion(t *testing.T, s *side) {
	for deadline := time.Now().Add(callTimeout); ; time.Sleep(10 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
		m, err := s.maintenance.Status(ctx, &pb.StatusRequest{})
		cancel()
		if err == nil && m.StorageVersion == "3.7.0" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has no storage version: %v, %v", s.name, m, err)
		}
	}
}

func TestTheSameRequestsGetTheSameAnswers(t *testing.T) {
	seed, ops := harness.Seed(t), harness.Count(t, "KVORUM_OPS", 10_000)
	began := time.Now()
	r := startRun(t, seed)
	for r.operation = 1; r.operation <= ops; r.operation++ {
		r.step()
		if r.operation%500 == 0 && r.world.alarm == nil {
			r.barrier(r.watches...)
			r.do(hashKVCall(0))
		}
	}
	r.finish()
	if (r.fragments[0] > 0) != (r.fragments[1] > 0) {
		t.Errorf("only one server cuts large responses: %v", r.fragments)
	}
	fmt.Printf("%d operations, %d watch events and %v fragments compared in %v\n%s\n%s\n", ops, r.events, r.fragments,
		time.Since(began).Round(time.Second), summary("requests", r.kinds), summary("refusals", r.refusals))
}

// finish clears alarms, compares everything once more, and the whole backend.
func (r *run) finish() {
	if r.world.alarm != nil {
		r.dropAlarm()
	}
	r.barrier(r.watches...)
	for revision := max(1, r.world.compacted); revision <= r.world.revision; revision += 1 + r.world.revision/20 {
		if revision != r.world.compacted {
			r.do(hashKVCall(revision))
		}
	}
	for _, s := range r.watches {
		r.inStep(s)
	}
	r.note(r.do(compactCall(&pb.CompactionRequest{Revision: r.world.revision - 1, Physical: true})))
	r.do(hashKVCall(0))
	r.do(hashCall())
	r.do(rangeCall(&pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}}))
	for _, id := range leaseIDs {
		r.do(timeToLiveCall(&pb.LeaseTimeToLiveRequest{ID: id, Keys: true}))
	}
	r.do(defragmentCall())
	r.do(hashCall())
	r.do(hashKVCall(0))
}

type action func(r *run)

// actions are what a step may do, by weight.
var actions = []weighted[action]{
	{2200, func(r *run) { r.do(rangeCall(r.world.rangeRequest(), r.header()...)) }},
	{500, func(r *run) { r.do(streamCall(r.world.streamRequest())) }},
	{2200, func(r *run) { r.note(r.do(putCall(r.world.putRequest(), r.header()...))) }},
	{700, func(r *run) { r.note(r.do(deleteCall(r.world.deleteRequest()))) }},
	{2000, func(r *run) { r.note(r.do(txnCall(spareRealEtcd(r.world.txnRequest(2))))) }},
	{60, (*run).compact},
	{300, func(r *run) { r.do(grantCall(r.world.leaseGrantRequest())) }},
	{30, func(r *run) { r.do(grantAnyCall(1000 + r.world.Int64N(1000))) }},
	{120, func(r *run) { r.note(r.do(revokeCall(&pb.LeaseRevokeRequest{ID: r.world.leaseID()}))) }},
	{200, (*run).timeToLive},
	{80, func(r *run) { r.do(leasesCall()) }},
	{150, func(r *run) { r.do(keepAliveCall(r.world.leaseID(), r.world.leaseID(), r.world.leaseID())) }},
	{120, (*run).hashKV},
	{60, func(r *run) { r.do(statusCall()) }},
	{40, func(r *run) { r.do(membersCall(r.world.chance(50))) }},
	{40, (*run).listAlarms},
	{20, (*run).raiseAlarm},
	{350, (*run).createWatch},
	{120, (*run).cancelWatch},
	{60, (*run).progress},
	{25, (*run).reopenWatch},
	{3, func(r *run) { r.do(defragmentCall()) }},
	{3, func(r *run) { r.do(snapshotCall()) }},
	{25, (*run).big},
	{6, (*run).tooBig},
	{4, (*run).fragmentBurst},
}

func (r *run) step() {
	if r.world.alarm != nil && r.world.chance(15) {
		r.dropAlarm()
		return
	}
	pickWeighted(r.world.draw, actions)(r)
}

// header is metadata a client may send.
func (r *run) header() []string {
	switch n := r.world.IntN(100); {
	case n < 5:
		return []string{"hasleader", "true"}
	case n < 8:
		return []string{"client-api-version", "3.7"}
	case n < 10:
		return []string{"token", "nonsense"} // ignored while auth is off
	default:
		return nil
	}
}

// note learns the current revision from a write's answer.
func (r *run) note(a answer) {
	for _, m := range a.messages {
		if headed, ok := m.(interface{ GetHeader() *pb.ResponseHeader }); ok {
			r.world.revision = max(r.world.revision, headed.GetHeader().GetRevision())
		}
	}
}

func (r *run) timeToLive() {
	r.do(timeToLiveCall(&pb.LeaseTimeToLiveRequest{ID: r.world.leaseID(), Keys: r.world.chance(60)}))
}

func (r *run) hashKV() {
	revision := r.world.someRevision()
	asked := revision
	if asked == 0 {
		asked = r.world.revision
	}
	if asked == r.world.compacted && r.operation < r.world.compactingUntilOp {
		return
	}
	r.do(hashKVCall(revision))
}

// compact compacts when all watchers have caught up: which of several
// cancellations and events come first is open otherwise.
func (r *run) compact() {
	if r.world.alarm == nil {
		r.barrier(r.watches...)
		for _, s := range r.watches {
			r.inStep(s)
		}
		r.world.revision = r.witness.revision()
	}
	request := r.world.compactRequest()
	if a := r.do(compactCall(request)); a.err == nil {
		r.world.compacted, r.compacted = request.Revision, request.Revision
		if !request.Physical {
			r.world.compactingUntilOp = r.operation + 200
		}
	}
}

func (r *run) listAlarms() {
	r.do(alarmCall(&pb.AlarmRequest{
		Action:   pb.AlarmRequest_GET,
		MemberID: uint64(r.world.IntN(3)),
		Alarm:    pick(r.world.draw, pb.AlarmType_NONE, pb.AlarmType_NOSPACE, pb.AlarmType_CORRUPT),
	}))
}

func (r *run) raiseAlarm() {
	if r.world.alarm != nil {
		return
	}
	m := &pb.AlarmMember{
		MemberID: pick[uint64](r.world.draw, 0, 1, 1<<63+5),
		Alarm:    pick(r.world.draw, pb.AlarmType_NONE, pb.AlarmType_NOSPACE, pb.AlarmType_NOSPACE, pb.AlarmType_CORRUPT),
	}
	r.do(alarmCall(&pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE, MemberID: m.MemberID, Alarm: m.Alarm}))
	if r.world.chance(30) {
		r.do(alarmCall(&pb.AlarmRequest{Action: pb.AlarmRequest_ACTIVATE, MemberID: m.MemberID, Alarm: m.Alarm}))
	}
	if m.Alarm != pb.AlarmType_NONE {
		r.world.alarm = m
	}
}

func (r *run) dropAlarm() {
	m := r.world.alarm
	if r.world.chance(20) { // of another member: clears nothing
		r.do(alarmCall(&pb.AlarmRequest{Action: pb.AlarmRequest_DEACTIVATE, MemberID: 77, Alarm: m.Alarm}))
	}
	r.do(alarmCall(&pb.AlarmRequest{Action: pb.AlarmRequest_DEACTIVATE, MemberID: m.MemberID, Alarm: m.Alarm}))
	r.world.alarm = nil
}

func (r *run) anyWatch() *watchPair { return r.watches[r.world.IntN(len(r.watches))] }

func (r *run) createWatch() {
	s, request := r.anyWatch(), r.world.watchRequest()
	if s.kind != mixed {
		request.StartRevision = 0
	}
	if len(s.watchers) < 20 {
		r.createWatcher(s, request)
	}
}

func (r *run) cancelWatch() {
	if r.world.alarm != nil {
		return
	}
	s := r.anyWatch()
	id := pick[int64](r.world.draw, 12345, -7)
	keep := 1 // the marker, and what makes a waiting stream wait
	if s.kind == waiting {
		keep = 2
	}
	if n := len(s.watchers) - keep; n > 0 && r.world.chance(85) {
		id = s.watchers[keep+r.world.IntN(n)].id
	}
	r.barrier(s)
	if id == markerID {
		return
	}
	r.cancelWatcher(s, id)
}

func (r *run) progress() {
	if r.world.alarm == nil {
		r.requestProgress(r.anyWatch())
	}
}

func (r *run) reopenWatch() {
	if r.world.alarm != nil {
		return
	}
	at := r.world.IntN(len(r.watches))
	k := r.watches[at].kind
	r.barrier(r.watches[at])
	r.watches[at].close()
	r.watches[at] = r.openWatch(r.t, k)
}

var bigKeys = []string{"big/1", "big/2"}

func (r *run) big() {
	w := r.world
	key := pick(w.draw, bigKeys...)
	switch n := w.IntN(10); {
	case n < 5:
		r.note(r.do(putCall(&pb.PutRequest{Key: []byte(key), Value: w.bytes(megabyte), PrevKv: w.chance(30)})))
	case n < 9:
		r.note(r.do(deleteCall(&pb.DeleteRangeRequest{Key: []byte(key), PrevKv: w.chance(50)})))
	default: // a megabyte key
		long := w.bytes(megabyte)
		r.note(r.do(putCall(&pb.PutRequest{Key: long, Value: []byte("v")})))
		r.do(rangeCall(&pb.RangeRequest{Key: long}))
		r.note(r.do(deleteCall(&pb.DeleteRangeRequest{Key: long})))
	}
}

// tooBig exceeds the limit of raft entries, then that of gRPC messages.
func (r *run) tooBig() {
	size := pick(r.world.draw, 1_573_000, 1_900_000, 2_300_000, 5_000_000)
	if r.world.chance(50) {
		r.note(r.do(putCall(&pb.PutRequest{Key: []byte("big/3"), Value: make([]byte, size)})))
		return
	}
	half := make([]byte, size/2)
	r.note(r.do(txnCall(&pb.TxnRequest{Success: []*pb.RequestOp{
		{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte("big/3"), Value: half}}},
		{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte("big/4"), Value: half}}},
	}})))
}

// fragmentBurst writes revisions too large for one watch response.
func (r *run) fragmentBurst() {
	if r.world.alarm != nil {
		return
	}
	s := r.watches[1]
	r.createWatcher(s, &pb.WatchCreateRequest{Key: []byte("frag/"), RangeEnd: []byte("frag0"), Fragment: true, PrevKv: true})
	id := s.watchers[len(s.watchers)-1].id
	for range 2 {
		t := &pb.TxnRequest{}
		for i := range 4 {
			put := &pb.PutRequest{Key: fmt.Appendf(nil, "frag/%d", i), Value: r.world.bytes(350_000)}
			t.Success = append(t.Success, &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: put}})
		}
		r.note(r.do(txnCall(t)))
	}
	r.note(r.do(deleteCall(&pb.DeleteRangeRequest{Key: []byte("frag/"), RangeEnd: []byte("frag0")})))
	r.barrier(s)
	r.cancelWatcher(s, id)
}
