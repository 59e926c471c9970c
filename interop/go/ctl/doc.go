// Package ctl drives the real etcdctl against the real etcd and against the
// server under test with the same command lines, and compares standard output,
// standard error and exit status.
//
// [step] is one command that ends by itself; [session] is one that runs until
// it is interrupted (watch, lock, elect, keep-alive). Both are performed on the
// two servers side by side, so that revisions, ids and hashes stay equal and
// are compared as they are. Masked are only ports, times, sizes, raft indexes
// and lease ids that a server draws itself.
package ctl
