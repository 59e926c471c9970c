// Command boltbench is bbolt's side of bench/bolt: it does to one bbolt file what the Java program
// dev.kvorum.bolt.BoltBenchmark does to ours and to LMDB's, row by row, and prints a line for each.
//
// The two must stay the same in what they do; read the Java program for why it is done so.
package main
