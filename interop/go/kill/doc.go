// Package kill sends SIGKILL to the server under test again and again, at
// random instants under load, and holds it to its promises after every restart
// of the same command line:
//
//   - every acknowledged write is there, at the revision it was given;
//   - revisions are gapless, and nothing is applied twice;
//   - a watcher resumed after its last revision misses nothing and sees nothing
//     twice;
//   - what a Range shows is what the watched history adds up to.
//
// KVORUM_KILLS sets how many kills, default 20.
package kill
