package datadir

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/protobuf/proto"

	"kvorum.dev/interop/harness"
)

// picture is all a client can see of a member's state.
type picture struct {
	hash    *pb.HashKVResponse
	backend *pb.HashResponse // the whole file's contents; nil when not taken
	now     *pb.RangeResponse
	past    *pb.RangeResponse // at a revision of history
	leases  string
	members *pb.MemberListResponse
	status  *pb.StatusResponse
}

// takePicture reads everything; history is read at a given revision.
func takePicture(t *testing.T, m *harness.Member, at int64) *picture {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn := m.Dial(t)
	maintenance := pb.NewMaintenanceClient(conn)
	p := &picture{}
	check := func(err error) {
		if err != nil {
			t.Fatalf("reading %s: %v", m.Name, err)
		}
	}
	var err error
	p.hash, err = maintenance.HashKV(ctx, &pb.HashKVRequest{})
	check(err)
	everything := &pb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}}
	p.now, err = pb.NewKVClient(conn).Range(ctx, everything)
	check(err)
	if at > 0 {
		everything.Revision = at
		p.past, err = pb.NewKVClient(conn).Range(ctx, everything)
		check(err)
	}
	p.members, err = pb.NewClusterClient(conn).MemberList(ctx, &pb.MemberListRequest{Linearizable: true})
	check(err)
	p.status, err = maintenance.Status(ctx, &pb.StatusRequest{})
	check(err)
	p.leases = describeLeases(t, m)
	p.hash.Header, p.now.Header.RaftTerm, p.members.Header = nil, 0, nil
	if p.past != nil {
		p.past.Header = nil // of the time of reading
	}
	return p
}

func describeLeases(t *testing.T, m *harness.Member) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client := m.Client(t)
	all, err := client.Leases(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, l := range all.Leases {
		ttl, err := client.TimeToLive(ctx, l.ID, clientv3.WithAttachedKeys())
		if err != nil {
			t.Fatal(err)
		}
		if ttl.TTL <= 0 || ttl.TTL > ttl.GrantedTTL {
			t.Errorf("%s: lease %x granted for %d s has %d s left", m.Name, l.ID, ttl.GrantedTTL, ttl.TTL)
		}
		slices.SortFunc(ttl.Keys, slices.Compare)
		lines = append(lines, fmt.Sprintf("%x ttl %d keys %q", ttl.ID, ttl.GrantedTTL, ttl.Keys))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// mustEqual compares what two servers show of the same files, one after the other.
func (p *picture) mustEqual(t *testing.T, other *picture, what string) {
	t.Helper()
	p.mustShowTheSame(t, other, what)
	if other.status.RaftIndex < p.status.RaftIndex || other.status.RaftTerm <= p.status.RaftTerm {
		t.Errorf("%s: raft went back: index %d term %d, then index %d term %d", what,
			p.status.RaftIndex, p.status.RaftTerm, other.status.RaftIndex, other.status.RaftTerm)
	}
}

// mustShowTheSame leaves out how far raft is, which each start moves.
func (p *picture) mustShowTheSame(t *testing.T, other *picture, what string) {
	t.Helper()
	for _, part := range []struct {
		name string
		a, b proto.Message
	}{
		{"HashKV", p.hash, other.hash}, {"keys", p.now, other.now}, {"history", p.past, other.past},
		{"members", p.members, other.members},
	} {
		if !proto.Equal(part.a, part.b) {
			t.Errorf("%s: %s differ:\nbefore %s\nafter  %s", what, part.name, short(part.a), short(part.b))
		}
	}
	if p.leases != other.leases {
		t.Errorf("%s: leases differ:\nbefore\n%s\nafter\n%s", what, p.leases, other.leases)
	}
	if p.status.StorageVersion != other.status.StorageVersion {
		t.Errorf("%s: storage versions differ: %q, %q", what, p.status.StorageVersion, other.status.StorageVersion)
	}
}

func short(m proto.Message) string {
	text := fmt.Sprint(m)
	if len(text) > 1500 {
		return text[:1500] + "..."
	}
	return text
}
