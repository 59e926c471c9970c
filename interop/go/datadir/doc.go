// Package datadir swaps the real etcd and the server under test on one data
// directory, in both directions, after clean stops and after kills under load,
// and lets bbolt and etcdutl judge the files in between.
//
//	KVORUM_ROUNDS  swaps there and back, default 2
package datadir
