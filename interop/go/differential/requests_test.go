package differential

import (
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// world is what the generator knows about the servers, learnt from the real
// one's answers. It only serves to aim requests; nothing is judged by it.
type world struct {
	draw
	revision  int64
	compacted int64
	alarm     *pb.AlarmMember // set while an alarm is raised
	// Until this operation a background compaction may still be storing its
	// hash, and HashKV of that revision has two right answers.
	compactingUntilOp int
}

// someRevision is mostly 0, else past, current, compacted, future or negative.
func (w *world) someRevision() int64 {
	switch n := w.IntN(100); {
	case n < 60:
		return 0
	case n < 85:
		return w.liveRevision()
	case n < 90:
		return w.compacted
	case n < 93:
		return max(0, w.compacted-1-int64(w.IntN(3)))
	case n < 96:
		return w.revision
	case n < 99:
		return w.revision + 1 + int64(w.IntN(3))
	default:
		return -1 - int64(w.IntN(2))
	}
}

// liveRevision is one that is neither compacted nor in the future.
func (w *world) liveRevision() int64 {
	low := max(1, w.compacted)
	return low + w.Int64N(w.revision-low+1)
}

func (w *world) rangeRequest() *pb.RangeRequest {
	key, end := w.span()
	r := &pb.RangeRequest{Key: key, RangeEnd: end, Revision: w.someRevision()}
	if w.chance(40) {
		r.Limit = pick[int64](w.draw, 1, 2, 3, 5, 10, 20, 100)
	}
	if w.chance(40) {
		r.SortOrder = pick(w.draw, pb.RangeRequest_NONE, pb.RangeRequest_ASCEND, pb.RangeRequest_DESCEND)
		r.SortTarget = pick(w.draw, pb.RangeRequest_KEY, pb.RangeRequest_VERSION,
			pb.RangeRequest_CREATE, pb.RangeRequest_MOD, pb.RangeRequest_VALUE)
	}
	if w.chance(1) {
		r.SortOrder = pick[pb.RangeRequest_SortOrder](w.draw, 3, 7, -1)
	}
	if w.chance(1) {
		r.SortTarget = pick[pb.RangeRequest_SortTarget](w.draw, 5, 9, -1)
	}
	r.Serializable = w.chance(30)
	r.KeysOnly = w.chance(12)
	r.CountOnly = w.chance(8)
	for _, bound := range []*int64{
		&r.MinModRevision, &r.MaxModRevision, &r.MinCreateRevision, &r.MaxCreateRevision,
	} {
		if w.chance(8) {
			*bound = w.Int64N(w.revision + 2)
		}
	}
	return r
}

// streamRequest is a Range that RangeStream mostly accepts. It never sorts by
// anything but the key without an order: the real etcd takes that, sorts every
// chunk by itself and goes on after its last key, so that keys are skipped and
// repeated as ties happen to fall.
func (w *world) streamRequest() *pb.RangeRequest {
	r := w.rangeRequest()
	if r.SortOrder == pb.RangeRequest_NONE {
		r.SortTarget = pb.RangeRequest_KEY
	}
	if w.chance(80) {
		r.SortOrder, r.SortTarget = pb.RangeRequest_NONE, pb.RangeRequest_KEY
		r.MinModRevision, r.MaxModRevision = 0, 0
		r.MinCreateRevision, r.MaxCreateRevision = 0, 0
	}
	return r
}

func (w *world) putRequest() *pb.PutRequest {
	r := &pb.PutRequest{Key: w.keyOrNone(), Value: w.value(), PrevKv: w.chance(30)}
	if w.chance(25) {
		r.Lease = w.leaseID()
	}
	if w.chance(8) {
		r.IgnoreValue = true
		if w.chance(80) {
			r.Value = nil
		}
	}
	if w.chance(8) {
		r.IgnoreLease = true
		if w.chance(80) {
			r.Lease = 0
		}
	}
	return r
}

func (w *world) deleteRequest() *pb.DeleteRangeRequest {
	r := &pb.DeleteRangeRequest{PrevKv: w.chance(40)}
	if w.chance(70) { // mostly one key, or the store would stay empty
		r.Key = w.keyOrNone()
	} else {
		r.Key, r.RangeEnd = w.span()
		if len(r.RangeEnd) == 1 && w.chance(85) {
			r.RangeEnd = prefixEnd(r.Key)
		}
	}
	return r
}

func (w *world) compare() *pb.Compare {
	c := &pb.Compare{
		Result: pick(w.draw, pb.Compare_EQUAL, pb.Compare_GREATER, pb.Compare_LESS, pb.Compare_NOT_EQUAL),
		Target: pick(w.draw, pb.Compare_VERSION, pb.Compare_CREATE, pb.Compare_MOD, pb.Compare_VALUE, pb.Compare_LEASE),
		Key:    w.keyOrNone(),
	}
	if w.chance(20) {
		c.Key, c.RangeEnd = w.span()
	}
	if w.chance(2) {
		c.Result = pick[pb.Compare_CompareResult](w.draw, 4, 9, -1)
	}
	operand := c.Target
	if w.chance(3) { // an operand that does not fit the target
		operand = pick(w.draw, pb.Compare_VERSION, pb.Compare_CREATE, pb.Compare_MOD, pb.Compare_VALUE, pb.Compare_LEASE)
	}
	if w.chance(2) { // no operand at all
		return c
	}
	switch operand {
	case pb.Compare_VERSION:
		c.TargetUnion = &pb.Compare_Version{Version: pick[int64](w.draw, 0, 1, 2, 3, 10, -1)}
	case pb.Compare_CREATE:
		c.TargetUnion = &pb.Compare_CreateRevision{CreateRevision: w.boundary()}
	case pb.Compare_MOD:
		c.TargetUnion = &pb.Compare_ModRevision{ModRevision: w.boundary()}
	case pb.Compare_VALUE:
		c.TargetUnion = &pb.Compare_Value{Value: w.value()}
	case pb.Compare_LEASE:
		c.TargetUnion = &pb.Compare_Lease{Lease: pick[int64](w.draw, 0, w.leaseID())}
	}
	return c
}

func (w *world) boundary() int64 {
	if w.chance(50) {
		return 0
	}
	return w.Int64N(w.revision + 2)
}

func (w *world) txnRequest(depth int) *pb.TxnRequest {
	t := &pb.TxnRequest{}
	for range pick(w.draw, 0, 1, 1, 1, 2, 3) {
		t.Compare = append(t.Compare, w.compare())
	}
	for range pick(w.draw, 0, 1, 1, 2, 3, 4) {
		t.Success = append(t.Success, w.op(depth))
	}
	for range pick(w.draw, 0, 1, 1, 2, 3) {
		t.Failure = append(t.Failure, w.op(depth))
	}
	if w.chance(1) {
		w.overfill(t)
	}
	return t
}

// spareRealEtcd takes the ignore flags off all puts of a txn that deletes an
// open-ended range: etcd 3.7.1 does not see that such a delete covers a put of
// the same branch, lets the txn pass, and dies when the put looks for what the
// delete has just removed.
func spareRealEtcd(t *pb.TxnRequest) *pb.TxnRequest {
	if deletesOpenEnded(t) {
		dropIgnoreFlags(t)
	}
	return t
}

func deletesOpenEnded(t *pb.TxnRequest) bool {
	for _, op := range append(t.Success[:len(t.Success):len(t.Success)], t.Failure...) {
		end := op.GetRequestDeleteRange().GetRangeEnd()
		if len(end) == 1 && end[0] == 0 || op.GetRequestTxn() != nil && deletesOpenEnded(op.GetRequestTxn()) {
			return true
		}
	}
	return false
}

func dropIgnoreFlags(t *pb.TxnRequest) {
	for _, op := range append(t.Success[:len(t.Success):len(t.Success)], t.Failure...) {
		if put := op.GetRequestPut(); put != nil {
			put.IgnoreValue, put.IgnoreLease = false, false
		}
		if inner := op.GetRequestTxn(); inner != nil {
			dropIgnoreFlags(inner)
		}
	}
}

// overfill brings one list of a txn to the limit of 128 or just beyond.
func (w *world) overfill(t *pb.TxnRequest) {
	size := pick(w.draw, 127, 128, 129)
	switch w.IntN(3) {
	case 0:
		for len(t.Compare) < size {
			t.Compare = append(t.Compare, w.compare())
		}
	case 1:
		for len(t.Success) < size {
			t.Success = append(t.Success, rangeOp(&pb.RangeRequest{Key: w.key()}))
		}
	default:
		for len(t.Failure) < size {
			t.Failure = append(t.Failure, rangeOp(&pb.RangeRequest{Key: w.key()}))
		}
	}
}

func (w *world) op(depth int) *pb.RequestOp {
	switch n := w.IntN(100); {
	case n < 35:
		return rangeOp(w.rangeRequest())
	case n < 70:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: w.putRequest()}}
	case n < 88 || depth == 0:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: w.deleteRequest()}}
	case n < 99:
		return &pb.RequestOp{Request: &pb.RequestOp_RequestTxn{RequestTxn: w.txnRequest(depth - 1)}}
	default:
		return &pb.RequestOp{}
	}
}

func rangeOp(r *pb.RangeRequest) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: r}}
}

func (w *world) compactRequest() *pb.CompactionRequest {
	r := &pb.CompactionRequest{Physical: w.chance(40)}
	switch n := w.IntN(100); {
	case n < 60:
		r.Revision = w.liveRevision()
	case n < 75:
		r.Revision = w.compacted
	case n < 85:
		r.Revision = w.revision + 1 + int64(w.IntN(5))
	case n < 92:
		r.Revision = w.revision
	default:
		r.Revision = pick[int64](w.draw, 0, -1, 1)
	}
	return r
}

func (w *world) leaseGrantRequest() *pb.LeaseGrantRequest {
	r := &pb.LeaseGrantRequest{ID: pick(w.draw, leaseIDs...)}
	// Long enough that nothing expires during a run.
	r.TTL = pick[int64](w.draw, 100_000, 1_000_000, 9_000_000_000, 50_000+w.Int64N(1000))
	if w.chance(6) {
		r.TTL = pick[int64](w.draw, 9_000_000_001, 1<<63-1)
	}
	return r
}

func (w *world) watchRequest() *pb.WatchCreateRequest {
	r := &pb.WatchCreateRequest{PrevKv: w.chance(40), Fragment: w.chance(30), ProgressNotify: w.chance(20)}
	r.Key, r.RangeEnd = w.span()
	if w.chance(50) {
		r.StartRevision = w.someRevision()
	}
	if w.chance(25) {
		r.Filters = append(r.Filters, pick[pb.WatchCreateRequest_FilterType](w.draw,
			pb.WatchCreateRequest_NOPUT, pb.WatchCreateRequest_NODELETE, 5))
	}
	if w.chance(3) {
		r.Filters = append(r.Filters, pb.WatchCreateRequest_NOPUT, pb.WatchCreateRequest_NODELETE)
	}
	if w.chance(30) { // explicit, so now and then a duplicate
		r.WatchId = pick[int64](w.draw, 1, 2, 3, 7, 1000, -5, 1<<62)
	}
	return r
}
