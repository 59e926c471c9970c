// Package harness starts and stops etcd servers for the interop tests: the
// real etcd 3.7.1 (the reference) and the server under test (the subject).
//
// Start reading at [Member]. The rules it keeps: loopback only, free ports, a
// directory of its own per member, and every process ended by its pid.
//
// Environment:
//
//	KVORUM_ETCD   the server under test; default bin/etcd of the repository.
//	              Pointed at the real etcd, every test must pass: that is how
//	              the tests themselves are proven.
//	KVORUM_TOOLS  directory with the Go binaries; default interop/target/go/bin,
//	              built on first use.
//	KVORUM_SEED   seed of the random tests; default drawn from the clock.
package harness
