package ctl

import (
	"fmt"
	"testing"
)

var formats = []string{"simple", "json", "fields", "protobuf", "table"}

// inFormats repeats a command in each output format, with and without --hex.
func inFormats(lines ...string) (steps []step) {
	for _, line := range lines {
		for _, f := range formats {
			steps = append(steps, ctl(line+" -w "+f))
		}
		steps = append(steps, ctl(line+" --hex"), ctl(line+" --hex -w fields"))
	}
	return steps
}

func TestPutGetAndDeleteOfRanges(t *testing.T) {
	b := startBoth(t)
	b.run(ctl("get nothing"), ctl("get nothing -w json"), ctl("get '' --prefix"))
	for i := range 12 {
		b.run(ctl(fmt.Sprintf("put k%02d v%d", i, (i*7)%5)))
	}
	b.run(inFormats("put fmt a", "put fmt b --prev-kv", "get fmt", "get k --prefix --limit 3", "get k00 k04")...)
	b.run(
		ctl("get k03 --from-key"), ctl("get k --prefix --keys-only"), ctl("get k --prefix --count-only -w fields"),
		ctl("get k --prefix --count-only"), ctl("get k --prefix --print-value-only"), ctl("get '' --from-key"),
		ctl("get k --prefix --consistency s"), ctl("get k --prefix --consistency l"), ctl("get k --prefix --consistency x"),
		ctl("get k --prefix --limit 2 -w json"), ctl("get k --prefix --stream"), ctl("get k --prefix --stream -w json"),
		ctl("get k --prefix --stream --limit 5 --keys-only"), ctl("get k --prefix --stream --sort-by VALUE"),
	)
	b.run(ctl("put k03 again"), ctl("put k05 again"), ctl("del k07"), ctl("put k07 reborn"))
	for _, by := range []string{"KEY", "CREATE", "MODIFY", "VERSION"} {
		for _, order := range []string{"ASCEND", "descend"} {
			// Versions tie, but each key has its own revisions.
			line := fmt.Sprintf("get k --prefix --sort-by %s --order %s", by, order)
			if by == "VERSION" {
				line = fmt.Sprintf("get k03 k04 --sort-by %s --order %s", by, order)
			}
			b.run(ctl(line), ctl(line+" --limit 3 -w json"))
		}
	}
	b.run(
		ctl("get k --prefix --order DESCEND"), ctl("get k --prefix --sort-by VALUE --limit 1 --print-value-only"),
		ctl("get k --prefix --sort-by nonsense"), ctl("get k --prefix --order nonsense"),
		ctl("get k --prefix --rev 8"), ctl("get k --prefix --rev 8 --keys-only"), ctl("get k --rev 1000"),
		ctl("get k --prefix --min-mod-rev 5 --max-mod-rev 9"), ctl("get k --prefix --min-create-rev 5"),
		ctl("get k --prefix --max-create-rev 5 -w json"), ctl("get k --min-mod-rev 9 --max-mod-rev 5"),
		ctl("get"), ctl("get a b c"), ctl("get a b --prefix"), ctl("get a --prefix --from-key"),
		ctl("get a --keys-only --count-only"), ctl("get a -w xml"), ctl("get a --nonsense"),
	)
	b.run(
		ctl("put"), ctl("put one"), ctl("put a b c"), ctl("put piped").input("from stdin\nsecond line\n"), ctl("get piped"),
		ctl("put empty ''").input(""), ctl("get empty"), ctl("put dash -- -value"), ctl("get dash"),
		ctl("put ig v1"), ctl("put ig --ignore-value"), ctl("put ig x --ignore-value"), ctl("put absent --ignore-value"),
		ctl("put ig v2 --ignore-lease"), ctl("put absent v --ignore-lease"), ctl("put a b --lease 123"),
		ctl("put a b --lease nonsense"), ctl("put '' v"), ctl("put sp\\x20ace v\\x20w"), ctl("get sp\\x20ace -w fields"),
		step{args: []string{"put", "\xff\xfe\x01", "\xc3\x28\n"}}, step{args: []string{"get", "\xff\xfe\x01", "-w", "json"}},
		step{args: []string{"get", "\xff\xfe\x01", "-w", "fields"}}, step{args: []string{"get", "\xff\xfe\x01", "--hex"}},
		ctl("put html <&>"), ctl("get html -w json"),
	)
	b.run(
		ctl("del nothing"), ctl("del k00"), ctl("del k01 --prev-kv"), ctl("del k02 k04 --range --prev-kv"),
		ctl("del k05 k06"), ctl("del k06 -w json --prev-kv"), ctl("del"), ctl("del a b c"), ctl("del a b --prefix"),
		ctl("del k --prefix -w fields --prev-kv"), ctl("del p --from-key"), ctl("del '' --prefix -w protobuf"),
		ctl("get '' --prefix --keys-only"),
	)
	b.run(
		ctl("--endpoints $ENDPOINT put e v"), ctl("get e").environment("ETCDCTL_ENDPOINTS=$ENDPOINT"),
		ctl("--endpoints http://$ENDPOINT get e"), ctl("get e").environment("ETCDCTL_ENDPOINTS=$ENDPOINT", "ETCDCTL_HEX=true"),
	)
	t.Logf("%d command lines compared", b.steps)
}

func TestTransactions(t *testing.T) {
	b := startBoth(t)
	txn := func(flags, input string) step { return ctl("txn " + flags).input(input) }
	b.run(ctl("put a 1"), ctl("put b 2"), ctl("put b 3"))
	all := "val(\"a\") = \"1\"\nver(\"b\") > \"1\"\n\nput a 2\nget b\ndel c\n\nput fail yes\n\n"
	failing := "mod(\"a\") < \"2\"\n\nput a 3\n\nget a b --limit 5\nget '' --prefix --keys-only\nput fail yes\n\n"
	for _, f := range formats {
		b.run(txn("-w "+f, all), txn("-w "+f, failing))
	}
	b.run(
		txn("-i", all), txn("-i", failing), txn("", "\n\n\n"), txn("", ""), txn("", "\nput x y\n\n"),
		txn("", "create(\"new\") = \"0\"\n\nput new \"quo ted\"\nget new\n\n\n"),
		txn("", "c(\"a\") != \"0\"\nm(\"a\") > \"1\"\nversion(\"a\") > \"0\"\nvalue(\"a\") != \"x\"\n\nget a --rev 2\n\n\n"),
		txn("", "val(\"a\") = 1\n\n\n\n"), txn("", "nonsense\n\n\n\n"), txn("", "foo(\"a\") = \"1\"\n\n\n\n"),
		txn("", "ver(\"a\") = \"x\"\n\n\n\n"), txn("", "\njump a\n\n\n"), txn("", "\nput\n\n\n"),
		txn("", "\nput d 1\nput d 2\n\n\n"), txn("", "\nput d 1\ndel d\n\n\n"), txn("", "\ndel d\nput d 1\n\n\n"),
		txn("", "\ndel a z --range\nput d 1\n\n\n"), txn("", "\nget a --rev 999\n\n\n"), txn("", "\nput q v --lease 77\n\n\n"),
		txn("", "\nput a v --prev-kv\ndel b --prev-kv\n\n\n"), txn("extra", "\n\n\n"), txn("-w xml", "\n\n\n"),
		txn("", "\nget a --prefix --sort-by MODIFY --order DESCEND\n\n\n"),
	)
	var many string
	for i := range 129 {
		many += fmt.Sprintf("put many%d v\n", i)
	}
	b.run(txn("", "\n"+many+"\n\n"), ctl("get '' --prefix"))
}

func TestCompactionAndDefragmentation(t *testing.T) {
	b := startBoth(t)
	for i := range 10 {
		b.run(ctl(fmt.Sprintf("put k v%d", i)))
	}
	b.run(
		ctl("compaction"), ctl("compaction nonsense"), ctl("compaction 5"), ctl("compaction 5"), ctl("compaction 4"),
		ctl("compaction 1000"), ctl("get k --rev 4"), ctl("get k --rev 5"), ctl("compaction 7 --physical"),
		ctl("compaction 8 -w json"), ctl("endpoint hashkv"), ctl("endpoint hashkv --rev 9"),
		ctl("endpoint hashkv --rev 3"), ctl("endpoint hashkv --rev 99"),
		ctl("defrag"), ctl("defrag -w json"), ctl("endpoint hashkv -w json"), ctl("get k --prefix -w json"),
	)
}
