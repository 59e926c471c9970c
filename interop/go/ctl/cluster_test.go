package ctl

import "testing"

func TestLeases(t *testing.T) {
	b := startBoth(t)
	lease := []mask{maskKeyOrder, maskLease, maskLeaseJSON, maskLeaseText, maskRemaining, maskTTL}
	b.run(
		ctl("lease grant 600").naming("LEASE1", `lease ([0-9a-f]+) granted`),
		ctl("lease grant 1").masking(lease...).naming("SHORT", `lease ([0-9a-f]+) granted`),
		ctl("lease revoke $SHORT"), ctl("lease revoke $SHORT"),
		ctl("lease grant"), ctl("lease grant x"), ctl("lease grant 9000000001"),
		ctl("lease grant -- -5").masking(lease...).naming("SHORT", `lease ([0-9a-f]+) granted`), ctl("lease revoke $SHORT"),
		ctl("put a 1 --lease $LEASE1"), ctl("put b 2 --lease $LEASE1"), ctl("put c 3 --lease 1234"),
		ctl("get a"), ctl("get a -w json").masking(lease...), ctl("get a -w fields").masking(lease...),
		ctl("get a --keys-only -w fields").masking(lease...),
	)
	for _, f := range formats {
		b.run(
			ctl("lease grant 500 -w "+f).masking(lease...),
			ctl("lease timetolive $LEASE1 -w "+f).masking(lease...),
			ctl("lease keep-alive --once $LEASE1 -w "+f).masking(lease...),
		)
	}
	b.run(
		ctl("lease timetolive $LEASE1 --keys").masking(lease...), ctl("lease timetolive $LEASE1 --keys -w json").masking(lease...),
		ctl("lease timetolive $LEASE1 --keys -w fields").masking(lease...),
		ctl("lease timetolive 1234"), ctl("lease timetolive 1234 -w json"), ctl("lease timetolive"), ctl("lease timetolive zz"),
		ctl("lease keep-alive --once 1234"), ctl("lease keep-alive"), ctl("lease keep-alive 1234"), ctl("lease revoke 1234"),
		ctl("lease revoke"), ctl("lease revoke zz"),
		ctl("lease list").masking(lease...), ctl("lease list -w json").masking(lease...), ctl("lease list -w fields").masking(lease...),
		ctl("put a detached"), ctl("lease timetolive $LEASE1 --keys").masking(lease...),
		ctl("lease revoke $LEASE1"), ctl("get '' --prefix -w json"), ctl("lease timetolive $LEASE1"),
		ctl("lease timetolive $LEASE1 -w fields").masking(lease...),
	)
}

func TestMembersEndpointsAndAlarms(t *testing.T) {
	b := startBoth(t)
	status := []mask{maskSizes, maskPercent, maskIndexes, maskSizeJSON, maskSizeText}
	table := append([]mask{maskBlanks, maskTableCell}, status...)
	b.run(ctl("put a 1"))
	for _, f := range formats {
		masks := status
		if f == "table" {
			masks = table
		}
		b.run(
			ctl("member list -w "+f), ctl("endpoint health -w "+f).masking(masks...),
			ctl("endpoint status -w "+f).masking(masks...), ctl("endpoint hashkv -w "+f), ctl("alarm list -w "+f),
			ctl("alarm disarm -w "+f),
		)
	}
	b.run(
		ctl("member list --hex"), ctl("member list --hex -w json"), ctl("member list --consistency s"),
		ctl("endpoint health --endpoints $ENDPOINT,127.0.0.1:1 --command-timeout 1s --dial-timeout 1s").
			masking(newMask(`(?s)\{"level".*?\}\n`, "")),
		ctl("alarm list extra"), ctl("alarm disarm extra"), ctl("version"), ctl("nonsense"), ctl("member"),
	)
}

func TestTheQuotaAlarmAndItsRelease(t *testing.T) {
	b := startBoth(t, "--quota-backend-bytes=16777216")
	value := make([]byte, 1<<20)
	for i := range value {
		value[i] = 'x'
	}
	// Files grow differently, so each side is filled until it refuses.
	for _, side := range b.sides() {
		full := false
		for range 40 {
			o := side.run(ctl("put fill").input(string(value)))
			if o.Status != 0 {
				if o.Stderr == "" || !containsAll(o.Stderr, "etcdserver: mvcc: database space exceeded") {
					t.Fatalf("%s: %+v", side.member.Name, o)
				}
				full = true
				break
			}
		}
		if !full {
			t.Fatalf("%s never ran full", side.member.Name)
		}
	}
	b.run(
		ctl("alarm list").masking(maskAlarmGap), ctl("alarm list -w json").masking(newMask(`"revision":\d+`, `"revision":N`)),
		ctl("put small v"), ctl("lease grant 60"), ctl("endpoint health"), ctl("get nothing"), ctl("del nothing"),
		ctl("txn").input("\nput a b\n\n\n"), ctl("txn").input("\nget a\n\n\n"),
	)
	for _, side := range b.sides() {
		revision := side.run(ctl("get nothing -w json").naming("REV", `"revision":(\d+)`))
		if revision.Status != 0 {
			t.Fatalf("%+v", revision)
		}
	}
	b.run(
		ctl("compaction $REV --physical").masking(newMask(`revision \d+`, "revision N")), ctl("defrag"), ctl("put small v"), ctl("alarm disarm").masking(maskAlarmGap),
		ctl("put small v"), ctl("get small"), ctl("alarm list"), ctl("endpoint health"),
	)
}

func TestSnapshotsAreSavedAndAccepted(t *testing.T) {
	b := startBoth(t)
	b.run(ctl("put a 1"), ctl("put b 2"), ctl("del a"), ctl("put c 3"))
	logs := []mask{maskBytes, maskSizeField, maskSizes}
	etcdutl := func(line string) step {
		s := ctl(line).masking(newMask(`(?m)^\d{4}-\d\d-\d\dT.*\n`, "")) // log lines carry times
		s.program = "etcdutl"
		return s
	}
	hash := newMask(`"hash":\d+|"totalSize":\d+|"(Hash|Size)" : \d+`, "MASKED")
	simple := newMask(`^[0-9a-f]+, (\d+, \d+), [^,]*`, "HASH, $1, SIZE")
	b.run(
		ctl("snapshot save"), ctl("snapshot save $DIR/s.db").masking(logs...), ctl("snapshot save $DIR/none/s.db").masking(logs...),
		ctl("snapshot save $DIR/t.db -w json").masking(logs...),
		etcdutl("snapshot status $DIR/s.db").masking(simple), etcdutl("snapshot status $DIR/s.db -w json").masking(hash),
		etcdutl("snapshot status $DIR/s.db -w fields").masking(hash),
		etcdutl("snapshot restore $DIR/s.db --data-dir $DIR/restored"),
		etcdutl("hashkv $DIR/restored/member/snap/db"),
		etcdutl("snapshot restore $DIR/s.db --data-dir $DIR/bumped --bump-revision 1000 --mark-compacted"),
		etcdutl("hashkv $DIR/bumped/member/snap/db"),
		// hashkv opens the file for writing, after which its checksum is stale.
		etcdutl("hashkv $DIR/s.db"), etcdutl("hashkv $DIR/s.db -w json"), etcdutl("hashkv --rev 3 $DIR/s.db"),
	)
}
