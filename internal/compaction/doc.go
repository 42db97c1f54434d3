// Package compaction decides which records of a compacted log stay (Kafka's Cleaner, CleanedTransactionMetadata and
// SkimpyOffsetMap). It knows batches, no files: package commitlog feeds it the batches of a log in their order, and
// writes what it gives back.
//
// # Nouns
//
// Keys remembers for every key of the part of the log that was not compacted yet, the dirty part, where its newest
// record is. Transactions follows which batches and markers belong to aborted transactions, and which markers have
// nothing left to end. A Filter applies both to one batch after the other.
//
// # A compaction
//
// The first pass puts the records of the dirty part into Keys, oldest first, until the end or until Keys is full; what
// lies behind is left for the next compaction. The second pass runs a Filter over the log from its beginning to there.
//
// # What stays
//
//   - A record, if no newer one has its key. A record without a key goes: compacted topics refuse them.
//   - A tombstone (a null value) that is the newest of its key, until the delete horizon of its batch. The first
//     compaction that meets it stamps the horizon: now + delete.retention.ms (KIP-534).
//   - Nothing of an aborted transaction.
//   - A transaction's marker, while anything is left of the transaction, and from then on for delete.retention.ms, by a
//     horizon as for tombstones.
//   - The last batch of every producer that the log knows, with no records if none of them stays, as it has the
//     producer's last sequence; and the last marker of a producer that wrote nothing since.
//   - The last batch of every new segment, with no records if none of them stays: segments go on to end where the next
//     ones begin, by which a recovery sees that nothing is missing. (Kafka keeps that of a compaction's last segment.)
//
// # Invariants
//
//   - Offsets never change, nor do base offset, last offset, sequences, epochs and codec of a batch that lost records.
//   - Deterministic but for which of the bytes a codec chooses; no clock, no I/O.
//   - Memory is that of Keys, which was fixed when it was made, and of one batch.
//   - A batch that cannot be read is an error, never a loss of what is in it.
package compaction
