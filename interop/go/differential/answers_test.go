package differential

import (
	"fmt"
	"slices"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// answer is everything one call brought: messages (several for a stream), then
// an error or none.
type answer struct {
	messages []proto.Message
	err      error
}

func one[M proto.Message](message M, err error) answer {
	if err != nil {
		return answer{err: err}
	}
	return answer{messages: []proto.Message{message}}
}

func (a answer) String() string {
	var b strings.Builder
	for _, m := range a.messages {
		fmt.Fprintf(&b, "  %s\n", describe(m))
	}
	if a.err != nil {
		s := status.Convert(a.err)
		fmt.Fprintf(&b, "  error: %v: %q\n", s.Code(), s.Message())
	}
	return b.String()
}

// describe prints a message in one line, cutting what is too long to read.
func describe(m proto.Message) string {
	text := string(m.ProtoReflect().Descriptor().Name()) + " " +
		prototext.MarshalOptions{AllowPartial: true}.Format(m)
	if len(text) > 3000 {
		return text[:3000] + fmt.Sprintf("... (%d characters)", len(text))
	}
	return text
}

// difference says how two normalised answers differ, or "".
func difference(real, ours answer) string {
	if code, other := status.Convert(real.err), status.Convert(ours.err); code.Code() != other.Code() {
		return fmt.Sprintf("gRPC codes differ: %v and %v", code.Code(), other.Code())
	} else if code.Message() != other.Message() {
		return fmt.Sprintf("error texts differ: %q and %q", code.Message(), other.Message())
	}
	if len(real.messages) != len(ours.messages) {
		return fmt.Sprintf("%d and %d messages", len(real.messages), len(ours.messages))
	}
	for i := range real.messages {
		if !proto.Equal(real.messages[i], ours.messages[i]) {
			return fmt.Sprintf("message %d differs", i)
		}
	}
	return ""
}

// normalise removes from an answer what etcd leaves open.
func normalise(request proto.Message, a answer) answer {
	for _, m := range a.messages {
		if headed, ok := m.(interface{ GetHeader() *pb.ResponseHeader }); ok {
			if h := headed.GetHeader(); h != nil {
				h.RaftTerm = 0
			}
		}
		switch m := m.(type) {
		case *pb.RangeResponse:
			orderTies(request.(*pb.RangeRequest), m)
		case *pb.RangeStreamResponse:
			if h := m.GetRangeResponse().GetHeader(); h != nil {
				h.RaftTerm = 0
			}
		case *pb.TxnResponse:
			orderTxnTies(request.(*pb.TxnRequest), m)
		case *pb.LeaseTimeToLiveResponse:
			slices.SortFunc(m.Keys, func(a, b []byte) int { return strings.Compare(string(a), string(b)) })
			m.TTL = roundTTL(m.TTL, m.GrantedTTL)
		case *pb.LeaseLeasesResponse:
			slices.SortFunc(m.Leases, func(a, b *pb.LeaseStatus) int { return int(min(1, max(-1, a.ID-b.ID))) })
		case *pb.StatusResponse:
			normaliseStatus(m)
		}
	}
	return a
}

// roundTTL maps any plausible remaining TTL of a long lease to one value.
func roundTTL(ttl, granted int64) int64 {
	if granted > 0 && ttl <= granted && ttl > granted-3600 {
		return granted
	}
	return ttl
}

// normaliseStatus keeps what is defined and marks what is impossible.
func normaliseStatus(m *pb.StatusResponse) {
	sane := m.DbSize > 0 && m.DbSizeInUse > 0 && m.DbSizeInUse <= m.DbSize && m.RaftTerm > 0 &&
		m.RaftAppliedIndex > 0 && m.RaftAppliedIndex <= m.RaftIndex
	if !sane {
		m.Errors = append(m.Errors, "NOT SANE: "+prototext.Format(m))
	}
	m.DbSize, m.DbSizeInUse, m.RaftTerm, m.RaftIndex, m.RaftAppliedIndex = 0, 0, 0, 0, 0
	for i, text := range m.Errors { // one or two spaces: deliberately unstable upstream
		m.Errors[i] = strings.Join(strings.Fields(text), " ")
	}
}

func orderTxnTies(request *pb.TxnRequest, response *pb.TxnResponse) {
	ops := request.Failure
	if response.Succeeded {
		ops = request.Success
	}
	if len(ops) != len(response.Responses) {
		return // will be reported as a difference
	}
	for i, op := range ops {
		switch r := response.Responses[i].Response.(type) {
		case *pb.ResponseOp_ResponseRange:
			if q := op.GetRequestRange(); q != nil {
				orderTies(q, r.ResponseRange)
			}
		case *pb.ResponseOp_ResponseTxn:
			if q := op.GetRequestTxn(); q != nil {
				orderTxnTies(q, r.ResponseTxn)
			}
		}
	}
}

// orderTies sorts equal neighbours of a sorted answer by key. Where a limit
// has cut through a group of equals, any of them may be there: only how many
// remains.
func orderTies(request *pb.RangeRequest, response *pb.RangeResponse) {
	if request.SortTarget == pb.RangeRequest_KEY || len(response.Kvs) == 0 {
		return
	}
	same := func(a, b *mvccpb.KeyValue) bool {
		switch request.SortTarget {
		case pb.RangeRequest_VERSION:
			return a.Version == b.Version
		case pb.RangeRequest_CREATE:
			return a.CreateRevision == b.CreateRevision
		case pb.RangeRequest_MOD:
			return a.ModRevision == b.ModRevision
		default:
			return request.KeysOnly || string(a.Value) == string(b.Value)
		}
	}
	kvs := response.Kvs
	for from := 0; from < len(kvs); {
		to := from + 1
		for to < len(kvs) && same(kvs[from], kvs[to]) {
			to++
		}
		slices.SortFunc(kvs[from:to], func(a, b *mvccpb.KeyValue) int {
			return strings.Compare(string(a.Key), string(b.Key))
		})
		if to == len(kvs) && response.More {
			for i := from; i < to; i++ {
				kvs[i] = anyOf(request.SortTarget, kvs[i])
			}
		}
		from = to
	}
}

// anyOf keeps of a pair only what it was sorted by.
func anyOf(target pb.RangeRequest_SortTarget, kv *mvccpb.KeyValue) *mvccpb.KeyValue {
	switch target {
	case pb.RangeRequest_VERSION:
		return &mvccpb.KeyValue{Version: kv.Version}
	case pb.RangeRequest_CREATE:
		return &mvccpb.KeyValue{CreateRevision: kv.CreateRevision}
	case pb.RangeRequest_MOD:
		return &mvccpb.KeyValue{ModRevision: kv.ModRevision}
	default:
		return &mvccpb.KeyValue{Value: kv.Value}
	}
}
