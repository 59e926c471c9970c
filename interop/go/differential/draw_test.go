package differential

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// draw makes the random parts of requests. It is a pure function of its seed.
type draw struct{ *rand.Rand }

func newDraw(seed int64) draw { return draw{rand.New(rand.NewPCG(uint64(seed), 7))} }

// chance is true in p of 100 cases.
func (d draw) chance(p float64) bool { return d.Float64()*100 < p }

// pick draws one of the given values.
func pick[T any](d draw, values ...T) T { return values[d.IntN(len(values))] }

// weighted is a value drawn in proportion to its weight.
type weighted[T any] struct {
	weight int
	value  T
}

func pickWeighted[T any](d draw, choices []weighted[T]) T {
	total := 0
	for _, c := range choices {
		total += c.weight
	}
	at := d.IntN(total)
	for _, c := range choices {
		if at < c.weight {
			return c.value
		}
		at -= c.weight
	}
	panic("unreachable")
}

var oddKeys = [][]byte{
	{0}, {0, 0}, {0, 1}, {0xff}, {0xff, 0xff}, {0xff, 0xfe, 0x80}, {0xc3, 0x28}, []byte("é/ü"),
	bytes.Repeat([]byte("long"), 300),
}

// key draws from a small universe, so that requests meet each other's keys.
func (d draw) key() []byte {
	switch n := d.IntN(100); {
	case n < 50:
		return fmt.Appendf(nil, "k%02d", d.IntN(24))
	case n < 75:
		return fmt.Appendf(nil, "p/%d/%d", d.IntN(4), d.IntN(5))
	case n < 90:
		return []byte{byte('a' + d.IntN(8))}
	default:
		return bytes.Clone(pick(d, oddKeys...))
	}
}

// keyOrNone is a key that is empty now and then, which most requests refuse.
func (d draw) keyOrNone() []byte {
	if d.chance(1) {
		return nil
	}
	return d.key()
}

// span draws a key and a range end of every kind api.md §2.7 knows.
func (d draw) span() (key, end []byte) {
	key = d.keyOrNone()
	switch n := d.IntN(100); {
	case n < 40: // a single key
	case n < 60:
		end = d.key()
		if bytes.Compare(key, end) > 0 && d.chance(90) {
			key, end = end, key
		}
	case n < 75:
		key = pick(d, []byte("k"), []byte("p/"), []byte("p/2/"), []byte("k1"), []byte{0xff})
		end = prefixEnd(key)
	case n < 85:
		end = []byte{0}
	case n < 95:
		key, end = []byte{0}, []byte{0}
	default: // an empty interval
		key, end = []byte("k9"), pick(d, []byte("k9"), []byte("k1"), []byte("a"))
	}
	return key, end
}

func prefixEnd(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return []byte{0}
}

// inSpan tells whether a key lies in an interval as api.md §2.7 defines it.
func inSpan(k, key, end []byte) bool {
	switch {
	case len(end) == 0:
		return bytes.Equal(k, key)
	case len(end) == 1 && end[0] == 0:
		return bytes.Compare(k, key) >= 0
	default:
		return bytes.Compare(k, key) >= 0 && bytes.Compare(k, end) < 0
	}
}

func (d draw) value() []byte {
	size := 0
	switch n := d.IntN(100); {
	case n < 8:
	case n < 50: // few distinct values, so that compares and sorts meet ties
		return fmt.Appendf(nil, "v%d", d.IntN(10))
	case n < 95:
		size = d.IntN(64)
	default:
		size = d.IntN(8192)
	}
	return d.bytes(size)
}

func (d draw) bytes(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(d.Uint32())
	}
	return b
}

const megabyte = 1 << 20

// leaseIDs are the only ids the random requests use.
var leaseIDs = []int64{1, 2, 3, 4, 5, 6, 7, 8, 0x694d77aa9e38260f, 1 << 62}

func (d draw) leaseID() int64 {
	if d.chance(8) {
		return pick[int64](d, 999, -3, 1<<63-1)
	}
	return pick(d, leaseIDs...)
}
