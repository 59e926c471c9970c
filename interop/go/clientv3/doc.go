// Package clientv3 uses the server under test as Go programs do: through the
// real Go client, its concurrency recipes, namespaces, leases and resuming
// watches.
package clientv3
