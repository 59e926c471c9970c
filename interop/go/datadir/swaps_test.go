package datadir

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"kvorum.dev/interop/harness"
)

// TestServersSwapUnderLoad has the two servers take a directory from each other
// in the middle of load, by SIGTERM or SIGKILL as the seed says. After each:
//
//   - bbolt finds nothing wrong with a copy of the db, as it was left;
//   - the next server, and the other one on a copy of the directory, show the
//     same: HashKV, keys, leases, members;
//   - HashKV of a revision before the stop is what it was before the stop
//     (unless a compaction in between makes it another question);
//   - every acknowledged write is in the history a watcher sees, resumed after
//     the last revision it saw, and that history adds up to the keys;
//   - acknowledged leases are there, revoked ones are not, and neither revision,
//     compaction nor raft's index and term have gone back.
func TestServersSwapUnderLoad(t *testing.T) {
	seed, swaps := harness.Seed(t), harness.Count(t, "KVORUM_SWAPS", 10)
	s := &swapping{random: rand.New(rand.NewPCG(uint64(seed), 2)), history: harness.NewHistory()}
	s.member = harness.NewMember(t, "", "", flags...)
	first := s.random.IntN(2)
	changeOwner(s.member, first)
	s.member.Start(t)
	began := time.Now()
	for turn := range swaps {
		s.swap(t, turn, first+turn+1)
		if t.Failed() {
			t.Fatalf("after swap %d", turn)
		}
	}
	fmt.Printf("%d swaps, %d of them by SIGKILL: %d acknowledged writes, %d revisions, %d compactions, %d defragmentations, "+
		"%d HashKVs of before found again, watch resumed %d times, %v\n", swaps, s.kills, s.writes, s.history.Newest(),
		s.compactions, s.defrags, s.told, s.history.Resumed(), time.Since(began).Round(time.Second))
}

// swapping is one directory on its way through many hands.
type swapping struct {
	random  *rand.Rand
	member  *harness.Member
	history *harness.History

	kills, writes, compactions, defrags, told int
}

// swap loads the server, ends it, judges its files, and hands them to the next.
func (s *swapping) swap(t *testing.T, turn, next int) {
	t.Helper()
	m := s.member
	_, watched := s.history.Follow(t, m)
	p := startPressure(t, m, turn, s.random)
	before, status := s.load(t, p)
	from, signal := m.Name, "SIGTERM"
	if s.random.IntN(2) == 0 {
		signal = "SIGKILL"
		s.kills++
		m.Kill()
	} else {
		m.Terminate(t)
	}
	p.stop()
	watched()
	audit(t, m, 0, 0)

	other := s.copyFor(t, next+1)
	changeOwner(m, next)
	other.Launch(t)
	m.Start(t)
	other.AwaitReady(t)
	s.judge(t, turn, p, before, status, other)
	other.Kill()
	if err := os.RemoveAll(other.Dir); err != nil {
		t.Fatal(err)
	}
	s.writes += len(p.acknowledged)
	s.compactions += p.compactions
	s.defrags += p.defrags
	fmt.Printf("swap %d: %s to %s by %s: %d writes acknowledged, %d compactions, %d defragmentations, revision %d; %s\n",
		turn, from, m.Name, signal, len(p.acknowledged), p.compactions, p.defrags, s.history.Newest(), files(t, m))
}

// load lets writes, compactions and defragmentations meet, and notes the state
// of a moment in between.
func (s *swapping) load(t *testing.T, p *pressure) (*pb.HashKVResponse, *pb.StatusResponse) {
	t.Helper()
	p.awaitCount(t, s.member, s.random.IntN(400))
	s.disturb(t, p, s.random.IntN(5))
	p.awaitCount(t, s.member, p.count()+s.random.IntN(300))
	before := s.member.HashKV(t, 0)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	status, err := pb.NewMaintenanceClient(s.member.Dial(t)).Status(ctx, &pb.StatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	p.awaitCount(t, s.member, p.count()+s.random.IntN(200))
	s.disturb(t, p, s.random.IntN(10))                                  // rarely a compaction, for it makes HashKV incomparable
	time.Sleep(time.Duration(s.random.IntN(20_000)) * time.Microsecond) // somewhere within what was begun
	return before, status
}

func (s *swapping) disturb(t *testing.T, p *pressure, what int) {
	switch what {
	case 0:
		p.compact(t, s.member, s.history, s.random)
	case 1:
		p.defragment(t, s.member)
	case 2:
		p.compact(t, s.member, s.history, s.random)
		p.defragment(t, s.member)
	}
}

// copyFor is a member that another program will run on a copy of the directory.
func (s *swapping) copyFor(t *testing.T, owner int) *harness.Member {
	t.Helper()
	other := harness.NewMember(t, "", "", flags...)
	changeOwner(other, owner)
	other.Dir = filepath.Join(t.TempDir(), "copy")
	mustSucceed(t, "cp", "-a", s.member.Dir, other.Dir)
	return other
}

func (s *swapping) judge(t *testing.T, turn int, p *pressure, before *pb.HashKVResponse, was *pb.StatusResponse,
	other *harness.Member) {
	t.Helper()
	m := s.member
	now := takePicture(t, m, 0)
	now.mustShowTheSame(t, takePicture(t, other, 0), fmt.Sprintf("swap %d, %s and %s on a copy", turn, m.Name, other.Name))
	if now.status.RaftIndex < was.RaftIndex || now.status.RaftTerm <= was.RaftTerm {
		t.Errorf("raft went back: %v, then %v", was, now.status)
	}
	if now.hash.CompactRevision < max(before.CompactRevision, p.compacted) {
		t.Errorf("compacted at %d and %d, then only at %d", before.CompactRevision, p.compacted, now.hash.CompactRevision)
	}
	if now.hash.CompactRevision == before.CompactRevision {
		if again := m.HashKV(t, before.HashRevision); again.Hash != before.Hash {
			t.Errorf("HashKV before the stop %v, now %v", before, again)
		}
		s.told++
	}
	revision := now.now.Header.Revision
	s.history.ResumeUntil(t, m, revision)
	s.history.Judge(t, m, p.acknowledged)
	for _, w := range p.acknowledged {
		if w.Revision > revision {
			t.Errorf("%s was acknowledged at revision %d, the store is at %d", w.Key, w.Revision, revision)
		}
	}
	mustHaveLeases(t, m, p.leases)
}

// mustHaveLeases checks which leases are there; it knows of no others.
func mustHaveLeases(t *testing.T, m *harness.Member, expected map[clientv3.LeaseID]bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	all, err := m.Client(t).Leases(ctx)
	if err != nil {
		t.Fatal(err)
	}
	found := map[clientv3.LeaseID]bool{}
	for _, lease := range all.Leases {
		found[lease.ID] = true
	}
	for lease, there := range expected {
		if found[lease] != there {
			t.Errorf("%s: lease %x there: %t, as acknowledged: %t", m.Name, lease, found[lease], there)
		}
	}
}
