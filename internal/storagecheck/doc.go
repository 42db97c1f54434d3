// Package storagecheck reads a log directory offline, says what is wrong in it, and repairs it when asked. It is an
// independent reader of Kafka's on-disk formats: it shares nothing with package commitlog but the formats of batches
// (record) and producers (producerstate), so that each can be held against the other.
//
// # Nouns
//
// A [Finding] is one thing that is wrong: where, which offsets, how bad ([Severity]), and what comes of it. [Check] reads
// one directory and returns a [Report]. A [Plan] is a list of [Step] values that bring a damaged directory back into
// order; nothing is changed before [Plan.Run].
//
// # What is read
//
// Everything: meta.properties, the clean-shutdown mark, the checkpoints, and of each partition every batch (length, magic,
// CRC, offsets, the records inside), both indexes entry by entry, transaction index and producer snapshots against a
// replay of the batches, the leader epochs, and what is left over of work that was cut short. Of the metadata log also
// the snapshots and quorum-state, of coordinators' logs each key and value. Of the redo journal heads and frames: what a start
// would redo of them is taken for done, and segments are judged as they will be then.
//
// Transactions are counted, and those without a marker listed with what __transaction_state says of them
// ([Transactions]): whether one hangs only its coordinator knows.
//
// # Promises
//
//   - Check changes nothing. It refuses a directory that a broker holds ([vfs.ErrLocked]).
//   - Each file is read once, front to back. Memory is bounded by a buffer per worker, the largest batch (up to
//     maxBatchBytes), and the producers of one partition and the transactional ids with a transaction under way; findings of one partition by maxFindings.
//   - What a broker would put right by itself is never called damaged; what it would cut or not notice always is.
//   - A repair moves every byte that it takes out of a file into the backup folder, durably, before it changes the file.
//     The offsets of lost records stay taken: an empty batch, as compaction leaves them, stands in their place, so
//     that no offset that a consumer has committed is ever given to another record.
//   - A crash in the middle of a repair leaves each file as it was or as it should be.
//
// # What counts as lost
//
// The recovery point is where the broker vouches for the bytes: below it, or anywhere after a clean stop, nothing may be
// missing. Above it, after an unclean stop, a torn tail is no finding worth an alarm: it was never acknowledged as
// durable; nor is a place with zeros in it, which never came to the disk. Whole batches behind another damaged one are: the next
// start cuts them too. What the journal proves counts like a recovery point.
//
// Of the journal all frames but the last were acknowledged, and one of them that cannot be read is damage. One that is whole but
// for a single bit was written whole, the last one too: the bit is known from the checksum, named, and put right. A repair redoes
// the journal as a start would, and sets it aside, before it changes where something lies in a segment.
package storagecheck
