package differential

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"kvorum.dev/interop/harness"
)

const callTimeout = 30 * time.Second

// side is one of the two servers, reached by raw gRPC.
type side struct {
	name        string
	member      *harness.Member
	kv          pb.KVClient
	lease       pb.LeaseClient
	watch       pb.WatchClient
	maintenance pb.MaintenanceClient
	cluster     pb.ClusterClient
}

func newSide(t *testing.T, m *harness.Member) *side {
	conn := m.Dial(t)
	return &side{
		name:        m.Name,
		member:      m,
		kv:          pb.NewKVClient(conn),
		lease:       pb.NewLeaseClient(conn),
		watch:       pb.NewWatchClient(conn),
		maintenance: pb.NewMaintenanceClient(conn),
		cluster:     pb.NewClusterClient(conn),
	}
}

// call is an operation that can be performed on either side.
type call struct {
	request proto.Message
	perform func(ctx context.Context, s *side) answer
}

// pair is both servers and what has been found about them.
type pair struct {
	t          *testing.T
	real, ours *side
	compacted  int64
	operation  int // number of the running operation
	mismatches int
	witness    *witness
	events     int    // watch events compared
	fragments  [2]int // by the real one, by ours
	kinds      map[string]int
	refusals   map[string]int
}

// mismatchesMax is where a run gives up: later differences mostly follow from
// the first ones.
const mismatchesMax = 5

// do performs a call on both sides at once, compares, and returns the real
// answer.
func (p *pair) do(c call) answer {
	p.t.Helper()
	real, ours := p.both(c)
	for _, s := range []*side{p.real, p.ours} {
		if death := s.member.Death(); death != "" {
			p.t.Fatalf("operation %d: %s\nrequest: %s", p.operation, death, describe(c.request))
		}
	}
	real, ours = normalise(c.request, real), normalise(c.request, ours)
	if d := difference(real, ours); d != "" {
		p.mismatch("%s\nrequest: %s\nreal:\n%vours:\n%v", d, describe(c.request), real, ours)
	}
	p.kinds[string(c.request.ProtoReflect().Descriptor().Name())]++
	if real.err != nil {
		p.refusals[real.err.Error()]++
	}
	return real
}

func (p *pair) both(c call) (real, ours answer) {
	var wait sync.WaitGroup
	wait.Go(func() { real = performBounded(c, p.real) })
	wait.Go(func() { ours = performBounded(c, p.ours) })
	wait.Wait()
	return real, ours
}

func performBounded(c call, s *side) answer {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	return c.perform(ctx, s)
}

func (p *pair) mismatch(format string, args ...any) {
	p.t.Helper()
	p.mismatches++
	p.t.Errorf("operation %d: %s", p.operation, fmt.Sprintf(format, args...))
	if p.mismatches >= mismatchesMax {
		p.t.FailNow()
	}
}

func rangeCall(r *pb.RangeRequest, header ...string) call {
	return call{r, func(ctx context.Context, s *side) answer {
		return one(s.kv.Range(metadata.AppendToOutgoingContext(ctx, header...), r))
	}}
}

func streamCall(r *pb.RangeRequest) call {
	return call{r, func(ctx context.Context, s *side) (a answer) {
		stream, err := s.kv.RangeStream(ctx, r)
		for err == nil {
			var m *pb.RangeStreamResponse
			if m, err = stream.Recv(); err == nil {
				a.messages = append(a.messages, m)
			}
		}
		if !errors.Is(err, io.EOF) {
			a.err = err
		}
		return a
	}}
}

func putCall(r *pb.PutRequest, header ...string) call {
	return call{r, func(ctx context.Context, s *side) answer {
		return one(s.kv.Put(metadata.AppendToOutgoingContext(ctx, header...), r))
	}}
}

func deleteCall(r *pb.DeleteRangeRequest) call {
	return call{r, func(ctx context.Context, s *side) answer { return one(s.kv.DeleteRange(ctx, r)) }}
}

func txnCall(r *pb.TxnRequest) call {
	return call{r, func(ctx context.Context, s *side) answer { return one(s.kv.Txn(ctx, r)) }}
}

func compactCall(r *pb.CompactionRequest) call {
	return call{r, func(ctx context.Context, s *side) answer { return one(s.kv.Compact(ctx, r)) }}
}

func grantCall(r *pb.LeaseGrantRequest) call {
	return call{r, func(ctx context.Context, s *side) answer { return one(s.lease.LeaseGrant(ctx, r)) }}
}

func revokeCall(r *pb.LeaseRevokeRequest) call {
	return call{r, func(ctx context.Context, s *side) answer { return one(s.lease.LeaseRevoke(ctx, r)) }}
}

func timeToLiveCall(r *pb.LeaseTimeToLiveRequest) call {
	return call{r, func(ctx context.Context, s *side) answer { return one(s.lease.LeaseTimeToLive(ctx, r)) }}
}

func leasesCall() call {
	r := &pb.LeaseLeasesRequest{}
	return call{r, func(ctx context.Context, s *side) answer { return one(s.lease.LeaseLeases(ctx, r)) }}
}

// grantAnyCall lets the server choose the id, then revokes that lease.
func grantAnyCall(ttl int64) call {
	r := &pb.LeaseGrantRequest{TTL: ttl}
	return call{r, func(ctx context.Context, s *side) answer {
		m, err := s.lease.LeaseGrant(ctx, r)
		if err != nil {
			return answer{err: err}
		}
		chosen := m.ID
		m.ID = 0
		if chosen <= 0 {
			m.Error = fmt.Sprintf("NOT SANE: chose the id %d", chosen)
		}
		a := one(s.lease.LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: chosen}))
		a.messages = append(a.messages, m)
		return a
	}}
}

// keepAliveCall renews leases one after the other on one stream.
func keepAliveCall(ids ...int64) call {
	return call{&pb.LeaseKeepAliveRequest{ID: ids[0]}, func(ctx context.Context, s *side) (a answer) {
		stream, err := s.lease.LeaseKeepAlive(ctx)
		if err != nil {
			return answer{err: err}
		}
		for _, id := range ids {
			if err := stream.Send(&pb.LeaseKeepAliveRequest{ID: id}); err != nil {
				return answer{a.messages, err}
			}
			m, err := stream.Recv()
			if err != nil {
				return answer{a.messages, err}
			}
			a.messages = append(a.messages, m)
		}
		if err := stream.CloseSend(); err != nil {
			return answer{a.messages, err}
		}
		if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
			a.err = fmt.Errorf("after half-close: %w", err)
		}
		return a
	}}
}

func hashKVCall(revision int64) call {
	r := &pb.HashKVRequest{Revision: revision}
	return call{r, func(ctx context.Context, s *side) answer { return one(s.maintenance.HashKV(ctx, r)) }}
}

func hashCall() call {
	r := &pb.HashRequest{}
	return call{r, func(ctx context.Context, s *side) answer { return one(s.maintenance.Hash(ctx, r)) }}
}

func statusCall() call {
	r := &pb.StatusRequest{}
	return call{r, func(ctx context.Context, s *side) answer { return one(s.maintenance.Status(ctx, r)) }}
}

func alarmCall(r *pb.AlarmRequest) call {
	return call{r, func(ctx context.Context, s *side) answer { return one(s.maintenance.Alarm(ctx, r)) }}
}

func membersCall(linearizable bool) call {
	r := &pb.MemberListRequest{Linearizable: linearizable}
	return call{r, func(ctx context.Context, s *side) answer { return one(s.cluster.MemberList(ctx, r)) }}
}

func defragmentCall() call {
	r := &pb.DefragmentRequest{}
	return call{r, func(ctx context.Context, s *side) answer { return one(s.maintenance.Defragment(ctx, r)) }}
}

// snapshotCall receives a whole snapshot and compares what does not depend on
// the layout of the file: its framing, checksum and version.
func snapshotCall() call {
	r := &pb.SnapshotRequest{}
	return call{r, func(ctx context.Context, s *side) answer {
		stream, err := s.maintenance.Snapshot(ctx, r)
		var sum, last []byte
		hash := sha256.New()
		summary := &pb.SnapshotResponse{}
		var remaining uint64
		for err == nil {
			var m *pb.SnapshotResponse
			if m, err = stream.Recv(); err != nil {
				break
			}
			hash.Write(last)
			last, remaining = m.Blob, m.RemainingBytes
			summary.Version, summary.Header = m.Version, m.Header
			if len(m.Blob) > 32768 {
				return answer{err: fmt.Errorf("a blob of %d bytes", len(m.Blob))}
			}
		}
		if !errors.Is(err, io.EOF) {
			return answer{err: err}
		}
		if sum = hash.Sum(nil); string(sum) != string(last) || remaining != 0 {
			return answer{err: fmt.Errorf("checksum %x after data with %x, remaining %d", last, sum, remaining)}
		}
		return one(summary, nil)
	}}
}

// summary counts what a run has covered.
func summary(title string, counts map[string]int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:", title)
	for _, name := range sortedKeys(counts) {
		fmt.Fprintf(&b, "\n  %6d %s", counts[name], name)
	}
	return b.String()
}
