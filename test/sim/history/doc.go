// Package history judges what the clients of a simulated cluster were told. It shares nothing with the broker but the words
// of the protocol. Each checker is a few lines on a list of observations:
//
//   - [Reads]: what a consumer has read at an offset stays there: a record read below the high watermark never vanishes.
//   - [Leaders]: at most one leader per partition and leader epoch; at most one controller per epoch; what one process tells
//     of an epoch never goes back.
//   - [Changes]: acknowledged changes of metadata are there in the end, in their order; what was not acknowledged may be.
//   - [Commits]: a group's committed offset, as it is fetched, never goes behind one whose commit was acknowledged before.
//   - [Votes]: who leads the metadata quorum in an epoch has the votes of a majority, and they are on the voters' disks.
//   - [CompareReplicas]: the logs of a partition's replicas are the same, byte for byte; so are those of the metadata.
//
// That no acknowledged record is lost, doubled or moved, and what readers of transactions may see, is checked by
// test/torture/ledger, which real processes are checked with, too.
package history
