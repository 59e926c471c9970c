package datadir

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"kvorum.dev/interop/harness"
)

// flags make snapshots and log compaction happen within a short test.
var flags = []string{"--snapshot-count=200", "--snapshot-catchup-entries=100"}

// owners are the two servers that take turns on a directory.
var owners = []struct {
	name   string
	binary func() string
}{{"real", harness.Reference}, {"ours", harness.Subject}}

func changeOwner(m *harness.Member, turn int) {
	owner := owners[turn%len(owners)]
	m.Name, m.Binary = owner.name, owner.binary()
}

func TestServersSwapAfterCleanStops(t *testing.T) {
	seed, rounds := harness.Seed(t), harness.Count(t, "KVORUM_ROUNDS", 2)
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	first := random.IntN(2)
	m := harness.NewMember(t, "", "", flags...)
	changeOwner(m, first)
	m.Start(t)
	for turn := range 2 * rounds {
		load(t, m, random, turn, 400, 22)
		before := takePicture(t, m, 0)
		took := m.Terminate(t)
		audit(t, m, before.hash.Hash, before.hash.HashRevision)
		from := m.Name
		changeOwner(m, first+turn+1)
		m.Start(t)
		after := takePicture(t, m, 0)
		before.mustEqual(t, after, fmt.Sprintf("turn %d, from %s to %s", turn, from, m.Name))
		fmt.Printf("turn %d: %s stopped in %v at revision %d; %s\n", turn, from, took, before.hash.HashRevision, files(t, m))
		if t.Failed() {
			t.FailNow()
		}
	}
}

func TestServersSwapAfterKillsUnderLoad(t *testing.T) {
	seed, rounds := harness.Seed(t), harness.Count(t, "KVORUM_ROUNDS", 2)
	random := rand.New(rand.NewPCG(uint64(seed), 2))
	first := random.IntN(2)
	m := harness.NewMember(t, "", "", flags...)
	changeOwner(m, first)
	m.Start(t)
	for turn := range 2 * rounds {
		load(t, m, random, turn, 100, 1)
		calm := takePicture(t, m, 0)
		at := calm.now.Header.Revision
		calm = takePicture(t, m, at)
		w := startWriters(t, m, turn)
		w.awaitCount(t, 50+random.IntN(400))
		if turn%3 == 2 { // a stop under load must lose nothing either
			m.Terminate(t)
		} else {
			m.Kill()
		}
		written := w.stop()
		audit(t, m, 0, 0)
		from := m.Name
		changeOwner(m, first+turn+1)
		m.Start(t)
		mustHave(t, m, written)
		after := takePicture(t, m, at)
		// History up to the calm moment is what it was.
		hash := m.HashKV(t, at)
		if hash.Hash != calm.hash.Hash || hash.CompactRevision != calm.hash.CompactRevision {
			t.Errorf("HashKV at %d: %v, then %v", at, calm.hash, hash)
		}
		calm.now, calm.hash = after.now, after.hash
		calm.mustEqual(t, after, fmt.Sprintf("turn %d, from %s to %s", turn, from, m.Name))
		fmt.Printf("turn %d: %s stopped with %d writes acknowledged; %s\n", turn, from, len(written), files(t, m))
		if t.Failed() {
			t.FailNow()
		}
	}
}

// mustHave checks that every acknowledged write is there at its revision.
func mustHave(t *testing.T, m *harness.Member, written []acknowledged) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := m.Client(t).Get(ctx, "load/", clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int64{}
	for _, kv := range answer.Kvs {
		found[string(kv.Key)] = kv.ModRevision
	}
	for _, w := range written {
		if found[w.key] != w.revision {
			t.Fatalf("%s: %s was acknowledged at revision %d, now it is at %d (0: gone)", m.Name, w.key, w.revision, found[w.key])
		}
	}
}

// TestSnapshotsOfEitherStartTheOther restores a snapshot taken from one server
// and starts the other on it.
func TestSnapshotsOfEitherStartTheOther(t *testing.T) {
	random := rand.New(rand.NewPCG(uint64(harness.Seed(t)), 3))
	for turn := range owners {
		m := harness.NewMember(t, "", "", flags...)
		changeOwner(m, turn)
		m.Start(t)
		load(t, m, random, turn, 300, 2)
		hash := m.HashKV(t, 0)
		restored := harness.NewMember(t, "", "", flags...)
		changeOwner(restored, turn+1)
		restored.Dir = snapshotAndRestore(t, m)
		m.Terminate(t)
		restored.Start(t)
		again := restored.HashKV(t, 0)
		if again.Hash != hash.Hash || again.HashRevision != hash.HashRevision {
			t.Errorf("snapshot of %s: HashKV %v, restored under %s: %v", m.Name, hash, restored.Name, again)
		}
		load(t, restored, random, 2, 50, 1)
		restored.Terminate(t)
	}
}
