// Package datadir swaps the real etcd and the server under test on one data
// directory, in both directions, after clean stops and in the middle of load by
// SIGTERM and SIGKILL, and lets bbolt and etcdutl judge the files in between.
//
//	KVORUM_ROUNDS  clean swaps there and back, default 2
//	KVORUM_SWAPS   swaps under load, default 10
package datadir
