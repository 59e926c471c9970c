package kill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"kvorum.dev/interop/harness"
)

const patience = 60 * time.Second

func TestNothingAcknowledgedIsLostByKills(t *testing.T) {
	seed, kills := harness.Seed(t), harness.Count(t, "KVORUM_KILLS", 20)
	random := rand.New(rand.NewPCG(uint64(seed), 9))
	m := harness.NewMember(t, "ours", harness.Subject(), "--snapshot-count=500", "--snapshot-catchup-entries=200")
	h, began, writes := harness.NewHistory(), time.Now(), 0
	m.Start(t)
	for life := 0; life < kills; life++ {
		_, wait := h.Follow(t, m)
		w := startWriters(t, m, life, random)
		w.awaitCount(t, random.IntN(700))
		disturb(t, m, life, random, h)
		time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond)
		m.Kill()
		acknowledged := w.stop()
		wait()
		if random.IntN(4) == 0 && life+1 < kills { // die again while starting
			life++
			m.Launch(t)
			time.Sleep(time.Duration(random.IntN(600)) * time.Millisecond)
			m.Kill()
		}
		m.Start(t)
		check(t, m, h, acknowledged)
		writes += len(acknowledged)
		if t.Failed() {
			t.Fatalf("after kill %d", life+1)
		}
	}
	fmt.Printf("%d kills, %d acknowledged writes, %d revisions, watch resumed %d times, %v\n",
		kills, writes, h.Newest(), h.Resumed(), time.Since(began).Round(time.Second))
	finish(t, m, h)
}

// check resumes the watcher and judges the restarted server.
func check(t *testing.T, m *harness.Member, h *harness.History, acknowledged []harness.Write) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	now, err := pb.NewKVClient(m.Dial(t)).Range(ctx, &pb.RangeRequest{Key: []byte("none")})
	if err != nil {
		t.Fatalf("the restarted server does not answer: %v", err)
	}
	h.ResumeUntil(t, m, now.Header.Revision)
	h.Judge(t, m, acknowledged)
}

// disturb now and then has the server busy with its files when it is killed.
func disturb(t *testing.T, m *harness.Member, life int, random *rand.Rand, h *harness.History) {
	conn := m.Dial(t)
	call := func(run func(ctx context.Context)) {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			run(ctx)
		}()
		time.Sleep(time.Duration(random.IntN(30)) * time.Millisecond)
	}
	switch life % 4 {
	case 1:
		revision := h.Newest() - 1 // the resumed watcher must not need what is compacted
		call(func(ctx context.Context) {
			_, _ = pb.NewKVClient(conn).Compact(ctx, &pb.CompactionRequest{Revision: revision, Physical: true})
		})
	case 3:
		call(func(ctx context.Context) {
			_, _ = pb.NewMaintenanceClient(conn).Defragment(ctx, &pb.DefragmentRequest{})
		})
	}
}

// finish lets the real tools and the real server confirm the last state.
func finish(t *testing.T, m *harness.Member, h *harness.History) {
	hash := m.HashKV(t, 0)
	m.Terminate(t)
	check := harness.Run(patience, "", nil, harness.Tool("bbolt"), "check", filepath.Join(m.Dir, "member", "snap", "db"))
	if check.Status != 0 {
		t.Errorf("bbolt check: %+v", check)
	}
	m.Name, m.Binary = "real", harness.Reference()
	m.Start(t)
	h.MustMatch(t, m)
	if again := m.HashKV(t, 0); again.Hash != hash.Hash {
		t.Errorf("HashKV %v, under the real etcd %v", hash, again)
	}
}
