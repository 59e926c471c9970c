package ctl

import (
	"regexp"
	"strings"

	"kvorum.dev/interop/harness"
)

// mask replaces what two equal servers may show differently.
type mask struct {
	pattern *regexp.Regexp
	by      string
}

func newMask(pattern, by string) mask { return mask{regexp.MustCompile(pattern), by} }

// commonMasks are times: they apply to every command.
var commonMasks = []mask{
	newMask(`\b(took:?"?\s*[:=]?\s*"?)[0-9.]+(ns|µs|ms|s)\b`, "${1}TIME"),
	newMask(`\b\d+(\.\d+)?(ns|µs|ms)\b|\b\d+\.\d+s\b`, "TIME"),
	newMask(`"ts":"[^"]*"`, `"ts":"TS"`),
	newMask(`"caller":"[^"]*"`, `"caller":"CALLER"`),
	newMask(`LocalAddr: '127.0.0.1:\d+'`, "LocalAddr: PORT"),
	newMask(`etcd-endpoints://0x[0-9a-f]+/`, "etcd-endpoints://PTR/"),
}

var (
	maskLease     = newMask(`\b[0-9a-f]{15,16}\b`, "LEASE")
	maskLeaseJSON = newMask(`"(ID|id|lease)":\d{15,20}`, `"$1":LEASE`)
	maskLeaseText = newMask(`"(ID|Lease)" : \d{15,20}`, `"$1" : LEASE`)
	maskRemaining = newMask(`remaining\(\d+s\)`, "remaining(TTL)")
	maskTTL       = newMask(`("ttl":|"TTL" : )\d+`, "${1}TTL")
	maskSizes     = newMask(`\d+(\.\d+)? ?[kMG]?B\b`, "SIZE")
	maskPercent   = newMask(`\d+%`, "PCT")
	maskIndexes   = newMask(`\b\d+, \d+, , ,`, "INDEX, INDEX, , ,")
	maskSizeJSON  = newMask(`"(dbSize|dbSizeInUse|raftIndex|raftAppliedIndex)":\d+`, `"$1":N`)
	maskSizeText  = newMask(`"(DBSize|DBSizeInUse|RaftIndex|RaftAppliedIndex)" : \d+`, `"$1" : N`)
	maskBlanks    = newMask(`[ ─]+`, " ")
	maskTableCell = newMask(`│ \d+ │ \d+ │`, "│ N │ N │")
	maskBytes     = newMask(`"(current-db-size-bytes|total-bytes|bytes)":\d+`, `"$1":N`)
	maskSizeField = newMask(`"size":"[^"]*"`, `"size":"SIZE"`)
	maskKeyOrder  = newMask(`\["Yg==","YQ=="\]|\["YQ==","Yg=="\]|\[b a\]|\[a b\]|"Key" : "[ab]"\n"Key" : "[ab]"`, "KEYS")
	maskAlarmGap  = newMask(`(memberID:\d+) +alarm`, "$1 alarm")
)

func (x *target) masked(o harness.Outcome, masks []mask) harness.Outcome {
	o.Stdout, o.Stderr = x.maskText(o.Stdout, masks), x.maskText(o.Stderr, masks)
	return o
}

func (x *target) maskText(text string, masks []mask) string {
	text = strings.ReplaceAll(text, x.member.Endpoint(), "EP")
	text = strings.ReplaceAll(text, x.dir, "$DIR")
	for name, value := range x.values {
		if len(value) < 10 { // a number that may be part of any other
			continue
		}
		text = strings.ReplaceAll(text, value, "$"+name)
	}
	for _, m := range append(commonMasks[:len(commonMasks):len(commonMasks)], masks...) {
		text = m.pattern.ReplaceAllString(text, m.by)
	}
	return text
}
