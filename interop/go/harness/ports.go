package harness

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

var (
	portsMutex sync.Mutex
	portsTaken = map[int]bool{}
)

// FreePort is a loopback port that nobody listens on. It lies below the
// kernel's ephemeral range, so that no outgoing connection takes it while a
// member is down between two starts.
func FreePort(tb testing.TB) int {
	tb.Helper()
	portsMutex.Lock()
	defer portsMutex.Unlock()
	for range 1000 {
		port := 11000 + rand.IntN(20000)
		if portsTaken[port] {
			continue
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		listener.Close()
		portsTaken[port] = true
		return port
	}
	tb.Fatal("no free port on 127.0.0.1")
	return 0
}
