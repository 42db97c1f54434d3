// Package replication has the replicas of this broker follow their leaders: it fetches what the leaders have, cuts what they
// do not have, and tells them what is safe here.
//
// Nouns. [Followers] knows which partitions this broker follows ([Followers.Update]), and has a fetcher for each leader
// (num.replica.fetchers of them) that keeps one Fetch request waiting at the leader, in an incremental session
// (KIP-227). What is fetched goes into the log on the goroutine of the connection, as it came, while its bytes are valid. The next
// request leaves from the goroutine that brings the reason for it, that one or the flusher's; a goroutine of the fetcher's own
// is for pauses, and for more partitions than others have time for.
//
// One round: a Fetch names for each partition where the log ends, under which epoch, and up to where it is on stable storage;
// the leader answers as soon as it has more; the records are appended, and the flusher is asked for them; when they are stable
// the next Fetch says so, and with that the leader may answer its producers. Should the disk be slow, the next Fetch does not
// wait for it for longer than syncPatience.
//
// A Fetch that waits at the leader is overtaken by another of the same session when there is news that must not wait: records
// that have become stable, a partition that this broker follows from now on, or does not any more. Of the two the leader answers
// the first at once.
//
// Truncation (KIP-595). A leader that is asked from an offset that does not follow from its own history answers where the
// histories part. The follower cuts there, and asks again, until it is a prefix of the leader's log. A follower that the
// leader's log start has overtaken begins anew there.
//
// Invariants:
//   - Only what the log ends at is appended behind it: an answer counts for the leader epoch and the offset that its request
//     named, and no request is put together while an answer is taken in.
//   - A follower never says that more is stable than is, nor that it has what it has not.
//   - The high watermark follows the leader's and never goes back.
//   - A partition whose leader does not answer as one is asked for again after a pause, and holds up no other.
package replication
