package main

import "encoding/binary"

// mix is the finaliser of SplitMix64: a permutation of the 64-bit numbers that looks random.
func mix(n uint64) uint64 {
	n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9
	n = (n ^ (n >> 27)) * 0x94d049bb133111eb
	return n ^ (n >> 31)
}

const golden = 0x9e3779b97f4a7c15

// draws is SplitMix64 itself.
type draws uint64

func (d *draws) below(bound int) int {
	*d += golden
	return int(mix(uint64(*d)) >> 1 % uint64(bound))
}

// sequentialKey is the n-th revision, as etcd's key bucket spells it: 17 bytes.
func sequentialKey(n int) []byte {
	key := make([]byte, 17)
	binary.BigEndian.PutUint64(key, uint64(n))
	key[8] = '_'
	return key
}

// randomKey is 16 to 34 bytes that look random.
func randomKey(n int) []byte {
	h := mix((uint64(n) + 1) * golden)
	var room [40]byte
	for i := range 5 {
		binary.BigEndian.PutUint64(room[8*i:], h)
		h = mix(h + golden)
	}
	return append([]byte(nil), room[:16+h%19]...)
}

// newValue is what all keys map to.
func newValue() []byte {
	value := make([]byte, 256)
	for i := range value {
		value[i] = byte(mix(uint64(i)))
	}
	return value
}
