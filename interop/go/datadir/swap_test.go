package datadir

import (
	"fmt"
	"math/rand/v2"
	"testing"

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
