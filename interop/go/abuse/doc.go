// Package abuse treats the server under test badly: wrong flags, broken files,
// full disks, crowds of streams, clients that neither read nor say goodbye, and
// signals. Where etcd defines the outcome, the real etcd is asked for it.
//
//	KVORUM_STREAMS  open streams at once, default 10,000
package abuse
