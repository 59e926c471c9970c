package abuse

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"

	"kvorum.dev/interop/harness"
)

// watchKey opens a stream with one watcher and returns it once it stands.
func watchKey(ctx context.Context, conn *grpc.ClientConn, create *pb.WatchCreateRequest) (pb.Watch_WatchClient, error) {
	stream, err := pb.NewWatchClient(conn).Watch(ctx)
	if err != nil {
		return nil, err
	}
	request := &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: create}}
	if err := stream.Send(request); err != nil {
		return nil, err
	}
	first, err := stream.Recv()
	if err == nil && !first.Created {
		err = fmt.Errorf("not created: %v", first)
	}
	return stream, err
}

func TestTenThousandStreamsStayOpenAndAreServed(t *testing.T) {
	count := harness.Count(t, "KVORUM_STREAMS", 10_000)
	m := harness.StartSubject(t)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	began := time.Now()
	const connections = 20
	streams := make([][]pb.Watch_WatchClient, connections)
	var wait sync.WaitGroup
	for c := range connections {
		conn := m.Dial(t)
		wait.Go(func() {
			for range count / connections {
				stream, err := watchKey(ctx, conn, &pb.WatchCreateRequest{Key: []byte("crowd")})
				if err != nil {
					t.Errorf("stream %d of connection %d: %v", len(streams[c]), c, err)
					return
				}
				streams[c] = append(streams[c], stream)
			}
		})
	}
	wait.Wait()
	opened := time.Since(began)
	mustServe(t, m)
	put, err := m.Client(t).Put(ctx, "crowd", "event")
	if err != nil {
		t.Fatal(err)
	}
	for c := range connections {
		wait.Go(func() {
			for _, stream := range streams[c] {
				event, err := stream.Recv()
				if err != nil || len(event.Events) != 1 || event.Events[0].Kv.ModRevision != put.Header.Revision {
					t.Errorf("connection %d: %v, %v", c, event, err)
					return
				}
			}
		})
	}
	wait.Wait()
	fmt.Printf("%d streams opened in %v, all served after %v\n", count, opened.Round(time.Millisecond),
		time.Since(began).Round(time.Millisecond))
	cancel()
	mustServe(t, m)
}

// TestWatchersThatDoNotReadHoldNobodyUp lets watchers stall while the store
// moves on, then reads them: each must see every revision once.
func TestWatchersThatDoNotReadHoldNobodyUp(t *testing.T) {
	m := harness.StartSubject(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var stalled []pb.Watch_WatchClient
	for range 10 {
		stream, err := watchKey(ctx, m.Dial(t), &pb.WatchCreateRequest{
			Key: []byte("slow"), RangeEnd: []byte("slox"), StartRevision: 2, PrevKv: true})
		if err != nil {
			t.Fatal(err)
		}
		stalled = append(stalled, stream)
	}
	const writes = 1500
	if n, err := fill(t, m, "slow", writes, 8000); err != nil {
		t.Fatalf("write %d while watchers stall: %v", n, err)
	}
	for i, stream := range stalled {
		for next := int64(2); next < writes+2; {
			response, err := stream.Recv()
			if err != nil || response.Canceled {
				t.Fatalf("watcher %d: %v, %v", i, response, err)
			}
			for _, e := range response.Events {
				if e.Kv.ModRevision != next {
					t.Fatalf("watcher %d: revision %d instead of %d", i, e.Kv.ModRevision, next)
				}
				next++
			}
		}
	}
}

func TestClientsThatVanishLeaveNothingBehind(t *testing.T) {
	m := harness.StartSubject(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 25 {
				conn := m.Dial(t)
				for range 5 {
					if _, err := watchKey(ctx, conn, &pb.WatchCreateRequest{Key: []byte{0}, RangeEnd: []byte{0}}); err != nil {
						t.Error(err)
					}
				}
				conn.Close()
			}
		})
	}
	if n, err := fill(t, m, "k", 500, 1000); err != nil {
		t.Errorf("write %d: %v", n, err)
	}
	wait.Wait()
	mustServe(t, m)
}

// TestGarbageOnTheClientPortHarmsNobody speaks nonsense, half sentences and
// nothing at all.
func TestGarbageOnTheClientPortHarmsNobody(t *testing.T) {
	m := harness.StartSubject(t)
	preface := "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	var open []net.Conn
	for _, words := range []string{
		"", "\x00", "nonsense\r\n\r\n", "GET / HTTP/1.1\r\n", "GET /none HTTP/1.1\r\nHost: x\r\n\r\n", preface[:10], preface,
		preface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00", preface + strings.Repeat("\xff", 1000),
		preface + "\xff\xff\xff\x00\x00\x00\x00\x00\x01", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 2<<20),
	} {
		for range 20 {
			conn, err := net.DialTimeout("tcp", m.Endpoint(), patience)
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.SetDeadline(time.Now().Add(patience))
			_, _ = io.WriteString(conn, words) // a refusal may come at once
			open = append(open, conn)
		}
	}
	mustServe(t, m)
	for _, conn := range open {
		conn.Close()
	}
	mustServe(t, m)
}
