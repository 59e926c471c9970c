// Package differential sends the same seeded random requests to the real etcd
// and to the server under test and compares every answer.
//
// A run is one loop over [world.next], which draws an operation; [pair.do]
// performs it on both sides and compares messages field by field, gRPC codes
// and message texts. Watches live beside that loop in [watchPair]s: their
// events are compared at barriers, when a marker key and the known history say
// that both sides must have delivered everything.
//
// Not compared, because etcd leaves them open: raft_term, sizes and raft
// indexes in Status, the order of equal elements in a sorted Range, the order
// of keys in LeaseTimeToLive and of leases in LeaseLeases, remaining TTLs
// within two seconds, and how many revisions one catch-up response carries.
//
//	KVORUM_SEED  reruns one run
//	KVORUM_OPS   number of operations, default 10,000
package differential
