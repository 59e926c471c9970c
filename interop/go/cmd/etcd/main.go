// Command etcd is the real etcd server, built from its published module, so
// that the tests have something to compare against.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
