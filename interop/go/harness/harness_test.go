package harness

import (
	"context"
	"testing"
	"time"
)

func TestMembersShareTheirIdsWhateverPortsTheyListenOn(t *testing.T) {
	a, b := StartReference(t), StartSubject(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	left, err := a.Client(t).Put(ctx, "k", "v")
	if err != nil {
		t.Fatal(err)
	}
	right, err := b.Client(t).Put(ctx, "k", "v")
	if err != nil {
		t.Fatal(err)
	}
	if left.Header.ClusterId != right.Header.ClusterId || left.Header.MemberId != right.Header.MemberId {
		t.Fatalf("ids differ:\nreal %v\nours %v", left.Header, right.Header)
	}
	if left.Header.Revision != right.Header.Revision {
		t.Fatalf("revisions differ:\nreal %v\nours %v", left.Header, right.Header)
	}
}
