// Package producerstate keeps what one partition's log knows of its idempotent and transactional
// producers (Kafka's ProducerStateManager, ProducerStateEntry, ProducerAppendInfo and
// VerificationStateEntry).
//
// # Nouns
//
// Table is all of it. It has one entry per producer id: epoch, the last five batches (so that a resent
// batch is recognised), the epoch of the transaction coordinator that ended the last transaction, and
// the first offset of the open transaction. Beside the entries it keeps the open transactions by first
// offset, the ended ones whose marker is not below the high watermark yet, and guards for transactions
// that are being verified with their coordinator (KIP-890).
//
// # The caller's loop
//
// A leader asks Check before an append and calls Update after it, both under the log's lock. A follower,
// and recovery from the log, call Update alone: the leader has checked. Update returns the transaction
// that a marker ended; an aborted one goes to the transaction index.
//
// A snapshot of the entries is written when a segment is rolled, in the format of Kafka's .snapshot
// files, but with all of the remembered batches where Kafka's have the last; restart and truncation load
// the newest at or below the end and Update with what follows.
//
// # Invariants
//
//   - Deterministic: the same calls give the same answers and the same snapshot bytes. No clock, no I/O.
//   - A sequence number is never accepted twice, and never after a gap, as long as the producer's entry
//     is there. Entries go by Expire only, never while a transaction is open, and not because records
//     were deleted from the log.
//   - The first unstable offset never passes an open transaction, nor an ended one whose marker could
//     still be lost.
//
// # Size
//
// An entry of a producer with one batch takes 56 bytes (64 as allocated) and some 20 in the map; with
// five batches 96 more. A snapshot takes 46 bytes per batch.
package producerstate
