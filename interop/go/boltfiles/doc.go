// Package boltfiles hands database files back and forth between bbolt and ours
// (bin/bolt): every page size, both in-memory kinds of free page list, with and
// without the list in the file. Each side reads, checks and changes what the
// other wrote, and each performs its surgery on the other's files.
//
//	KVORUM_BOLT  our program, default bin/bolt
package boltfiles
