// Package quorum keeps the cluster's metadata log: a thin shell around go.etcd.io/raft/v3, which decides, while
// this package stores, sends and tells.
//
// # Nouns
//
// A [Voter] is a node with one metadata log directory. The [VoterSet] has those whose votes count, each a [Member], which says how it is
// reached. A [Quorum] is this node's member of the quorum, one
// goroutine over the log __cluster_metadata-0. A [Leadership] is that log while this node leads it in one
// epoch; the controller runs on it. A [Transport] takes messages to the other voters. An [Observer] is a node without a
// vote, which keeps a copy of what is committed and fetches it from the leader through a [Source] (KIP-595, KIP-630).
//
// # raft's words and Kafka's
//
//	term                 leader epoch, stamped into every batch
//	entry                one record batch, committed and applied whole
//	index                ordinal of the batch; kept in memory from the newest snapshot on
//	empty entry          control batch with a LeaderChange record, the first of every term
//	HardState            file quorum-state (term and vote; Kafka's JSON, version 1), rewritten when they change
//	commit index         high watermark; not stored, the next leader finds it again
//	snapshot             <offset>-<epoch>.checkpoint: SnapshotHeader, records, SnapshotFooter (KIP-630); a tagged
//	                     field of the header holds raft's index, which Kafka has no word for
//
// # Voters
//
// With kraft.version 0 the voters are those of [Options], and static. With 1 (KIP-853) a KRaftVoters record has them: in the bootstrap
// snapshot of a node that was formatted, in the header's batch of every other snapshot, in a control batch of the log for each
// change. Such a batch is raft's ConfChange. It is in force once it is committed, where Kafka's is once it is appended; the offset of
// the newest that was in force is kept in quorum-state. So of the records in a log all but the last are known to be committed, and
// the last if that file says so (electorate.go). Who hears from a candidate or leader that is no voter as far as it knows answers
// all the same: it may be the one who is late.
//
// A controller that has no vote, or hears of no leader, fetches the committed log from whoever leads, as an Observer does, and hands
// it to raft in messages as the leader would have sent them (fetch.go).
//
// # One append
//
// Leadership.Append stamps offset and epoch and gives the batch to raft, under a short lock. The loop takes
// what has come together, writes it with one sync (journal), sends it, and applies what is committed: OnCommit
// first, then the answers of Await. So whoever was answered finds the metadata published.
//
// # Promises
//
//   - Vote and entries are on stable storage before any message that speaks of them leaves, and before a
//     single voter counts them as committed.
//   - OnCommit gets every committed batch once, in order, from the start or from where OnSnapshot left off.
//   - OnLead comes when all earlier batches are committed and were handed over; Append works from then on,
//     until OnResign, and never under another epoch.
//   - One change of the voters at a time, of one voter; it is answered when it is in force here.
//   - A failed write or sync ends the quorum: nothing is retried, nothing more is acknowledged.
//   - A message from a peer is checked (sender, epoch, one whole batch per entry, CRC) before raft sees it.
//
// Lock order: Quorum.mu, then storage.mu. Neither is held while the disk is written or a callback runs.
package quorum
