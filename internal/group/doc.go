// Package group decides for consumer groups: who is a member, when a rebalance begins and ends, and which offsets are
// committed.
//
// Nouns. A [Coordinator] is the state machine (statemachine.Machine) of one partition of __consumer_offsets; it holds the
// groups whose id hashes to that partition (kafka.CoordinatorPartition). A group is an id with committed offsets and of one kind, which
// says who its members are and how they share partitions. The files of each kind begin with its name: classic_ (members
// join and sync, and one of them, the leader, assigns: org.apache.kafka.coordinator.group.classic.ClassicGroup); offsets_
// are about the offsets of groups of all kinds.
//
// A classic group's life:
//
//	Empty --join--> PreparingRebalance --all joined, or time is up--> CompletingRebalance --leader synced--> Stable
//	  ^                   ^  |                                             |                                   |
//	  |                   |  '--nobody left--> Empty                       '----- join, leave, time-out -------'
//	  '---- delete, or no offsets left: Dead                                           back to PreparingRebalance
//
// What is durable is what __consumer_offsets holds, in Kafka's format: one record a committed offset, one a group
// with its members and their assignments, written when a generation is complete. What is not: joins and syncs
// that wait, session deadlines, members that joined but have no assignment yet. After a restart members find their group
// as its last record says and go on.
//
// Offsets that a transaction brings are pending, in memory as in the log, until its marker comes: then they are the
// group's, or gone. A group stays as long as offsets are pending for it.
//
// Steps and failures. A step answers through its Output's Then alone, so nobody hears of what is not committed. If its
// records cannot be appended, what is not durable stays as the step has left it, and must be right without them: a
// group that became empty is empty, and a restart would only find its last members again, whose sessions run out. The
// exceptions take back what they did in a further step (Coordinator.later): assignments of a leader, the new id of a
// static member, and the id of a newcomer that was not told it. A group whose assignments
// cannot be stored begins its next generations ever later (classicGroup.hold), up to 10 s.
//
// Invariants:
//   - A request is answered once: by its step, by a later step that takes it out of the member where it waits
//     (member.joining, member.syncing), or by Stopped.
//   - While the log is loaded, Replay builds groups from records. Afterwards a group's own records come back through
//     Replay too, and change nothing that the step which wrote them did not change; only tombstones remove.
//   - An assignment reaches members only after its record is committed, and it is the last that the log has of the
//     generation.
//   - Joins wait in PreparingRebalance only, syncs in CompletingRebalance only; the alarm of the join phase is on exactly
//     in PreparingRebalance, that of the sync phase while somebody has yet to sync, that of a session while the member is
//     in the group.
//   - The same calls at the same times write the same records and give the same answers in the same order.
package group
