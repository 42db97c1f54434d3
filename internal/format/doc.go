// Package format makes log directories ready for a node, as kafka-storage format does: who the node is (meta.properties), what
// the metadata log of a new cluster begins with (bootstrap.checkpoint), and, for a quorum of dynamic voters, who the first voters are
// (the snapshot at offset 0, KIP-853). The files are Kafka's: either program formats for the other.
//
// Nouns. [Options] say what is wanted; [Run] does it. [ReadBootstrap] returns to a first active controller the records of
// bootstrap.checkpoint.
//
// Invariants:
//   - meta.properties comes last: a directory that has one is formatted, one without is formatted again from the beginning.
//   - A directory that is formatted is never changed.
//   - Nothing is written before everything has been checked.
package format
