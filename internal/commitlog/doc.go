// Package commitlog keeps the logs of partitions on disk, in Kafka's file formats, and says when what was
// appended is safe.
//
// # Nouns
//
// A [Dir] is one log directory (log.dirs): it holds the lock, the checkpoints and one folder per partition.
// A [Log] is one partition: a row of segments of which the last is active (appended to). A segment is a
// .log file of record batches with its indexes. A [Span] is a range of whole batches to read.
//
// # Offsets
//
//	StartOffset <= LastStableOffset <= HighWatermark <= EndOffset
//	StartOffset <= StableOffset <= EndOffset
//
// EndOffset is where the next append goes. StableOffset is the promise of this package: everything below it
// survives a power failure (with write.caching: a crash of this process). HighWatermark is set from outside, by
// replication. LastStableOffset is the end of what read_committed consumers may see.
//
// # Promises
//
//   - An append either is complete or leaves nothing that a reader or a recovery takes for data.
//
//   - StableOffset advances only after fdatasync of the bytes, the directory and whatever else a recovery
//     needs to find them; or after fdatasync of the redo journal with the bytes, if all else was durable before (the
//     rules of the journal are with its type, in journal.go). After a failed write or fsync the Dir is failed for good:
//     nothing more is acknowledged.
//
//   - Recovery puts into the segments what only the journal has, reads what was written after the recovery point, no more,
//     and cuts only a tail that begins there and that the journal does not prove to have been acknowledged.
//     A batch below the recovery point that cannot be read makes the log refuse appends; it is never cut.
//
//   - A full disk takes nothing offline: an append leaves nothing, and what is derived is written again later.
//
//   - A read that meets damage says file, position and offset ([CorruptionError]); nothing is passed over in silence.
//
//   - Index files are hints: they are checked before use and rebuilt from the log when they are wrong.
//
//   - A Span stays readable while it is held, whatever retention deletes or compaction replaces meanwhile.
//
//   - Of all logs of a Dir at most Options.OpenFiles have a file open, but for what is being flushed or read; a log that
//     was never written to has no file but its partition.metadata.
//
//   - A log that cannot be loaded is set aside, alone: see [Log.Unloadable].
//
// # Compaction
//
// A [Cleaner] writes the closed segments of logs with cleanup.policy=compact anew, without the records that package
// compaction gives up; offsets stay. It works on what is decided, below the high watermark, and behind the recovery point
// on disk. New segments are written and synced beside the old ones (.cleaned) and put into their place by renames that a
// recovery completes or undoes (.swap; compact_swap.go has the steps, compact_load.go the recovery): a crash leaves the
// group of old segments or the new one. Segments still begin where the ones before end.
//
// # Concurrency
//
// One mutex per Log orders appends, rolls, truncations and deletions; it is held across writes, never across a
// sync of appended data. Readers take a snapshot of the segments and a segment's own short lock. One goroutine
// per Dir, the flusher, syncs for everybody who waits (group commit) and writes the checkpoints. While the journal is in use
// another goroutine syncs segments in place, a generation of the journal at a time. A compaction reads closed segments
// without the mutex and is aborted by whoever changes them: it looks before it exchanges segments.
// Lock order: Dir.folders, Log.mu, the journal's, Dir.checkpoints, Dir.mu, then the locks of segments, epochs and the
// flusher, which are leaves.
package commitlog
