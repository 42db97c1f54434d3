// Package partition is what this broker does for the partitions that it hosts: it appends for producers while
// it leads, says when an append is committed, reads for consumers, and follows what the controller decides.
//
// Nouns. A [Partition] is one replica on this broker: a commitlog.Log and the controller's word about it (leader,
// epoch, in-sync set). A [Set] holds all of them and is kept in step with the metadata image. A [Committed] waits
// for the high watermark to pass an offset (a Produce with acks=all); a [Watcher] hears of every move of the high
// watermark (a Fetch that waits for data).
//
// A Produce takes this way: append.go checks leadership and the in-sync set and has the batch validated and
// appended; wait.go keeps the request until the high watermark passes; progress.go moves the high watermark when
// the log's flusher reports what is on stable storage.
//
// A broker may have several log directories. placement.go says in which of them a replica lives, failure.go what becomes
// of replicas whose directory goes offline, and move.go moves a replica to another one while it is used: the copy takes the
// log's place once it has all of it (swap), and the controller hears of it (Assignment).
//
// Invariants:
//   - The high watermark never passes what is on stable storage of every in-sync replica (in the page cache, for a
//     topic with write.caching=true), and consumers never read above it: what was once read or acknowledged with
//     acks=all cannot vanish in a crash.
//   - One short mutex per partition guards the waiting requests. It is never held during I/O, nor while a
//     waiting request is told.
//   - Whoever waits is told once, also when the partition is deleted, loses its leadership or its disk.
//   - Leader epochs never go back in a log: no append under an older one lands behind the beginning of a newer one.
//   - The high watermark never goes back while this broker leads.
//   - A replica's log is deleted after a move only when all of it is on stable storage in the other directory.
//   - A replica that is counted on is never made anew while the log that it had may come back.
package partition
