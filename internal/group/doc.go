// Package group decides for consumer groups: who is a member, when a rebalance begins and ends, and which offsets are
// committed.
//
// Nouns. A [Coordinator] is the state machine (statemachine.Machine) of one partition of __consumer_offsets; it holds the
// groups whose id hashes to that partition (kafka.CoordinatorPartition). A group is an id with committed offsets and of one kind, which
// says who its members are and how they share partitions. The files of each kind begin with its name: classic_ (members
// join and sync, and one of them, the leader, assigns: org.apache.kafka.coordinator.group.classic.ClassicGroup); consumer_
// (members tell their subscriptions in heartbeats, and the coordinator assigns, KIP-848:
// org.apache.kafka.coordinator.group.modern.consumer.ConsumerGroup); offsets_
// are about the offsets of groups of all kinds.
//
// A classic group's life:
//
//	Empty --join--> PreparingRebalance --all joined, or time is up--> CompletingRebalance --leader synced--> Stable
//	  ^                   ^  |                                             |                                   |
//	  |                   |  '--nobody left--> Empty                       '----- join, leave, time-out -------'
//	  '---- delete, or no offsets left: Dead                                           back to PreparingRebalance
//
// A consumer group's epoch grows with every change of its members, their subscriptions, or the topics; the target
// assignment follows (internal/assignor), and each member is reconciled with it on its own, heartbeat by heartbeat: it first
// gives up what it is not to have any more, and gets what nobody else holds. A group changes its kind when a member of the
// other protocol joins: without members always, with members as group.consumer.migration.policy allows.
//
//	Empty --join--> Assigning --target made--> Reconciling --all members at its epoch--> Stable
//	                    ^                           |                                      |
//	                    '-------- join, leave, time-out, other subscription or topics -----'
//
// A streams group (streams_) is one of the threads of a Kafka Streams application: the first one tells the topology, the
// coordinator has the internal topics created and assigns tasks instead of partitions, otherwise it is as a consumer group.
//
// What is durable is what __consumer_offsets holds, in Kafka's format: one record a committed offset, one a group
// with its members and their assignments, written when a generation is complete. What is not: joins and syncs
// that wait, session deadlines, members that joined but have no assignment yet. After a restart members find their group
// as its last record says and go on.
//
// Offsets that a transaction brings are pending, in memory as in the log, until its marker comes: then they are the
// group's, or gone. A group stays as long as offsets are pending for it.
//
// Of a consumer group everything is durable, and changes in Replay alone: a step reads the group as it is, and writes records.
// What times its members (memberClock) is kept beside the groups, so that it is right whether the records come through or not.
//
// Steps and failures. A step answers through its Output's Then alone, so nobody hears of what is not committed. If its
// records cannot be appended, what is not durable stays as the step has left it, and must be right without them: a
// group that became empty is empty, and a restart would only find its last members again, whose sessions run out. The
// exceptions take back what they did in a further step (Coordinator.later): assignments of a leader, the new id of a
// static member, and the id of a newcomer that was not told it. A group whose assignments
// cannot be stored begins its next generations ever later (classicGroup.hold), up to 10 s.
//
// Invariants:
//   - No partition is held by two members of a consumer group: it is given to a member only when no other holds it.
//   - A request is answered once: by its step, by a later step that takes it out of the member where it waits
//     (member.joining, member.syncing), or by Stopped.
//   - While the log is loaded, Replay builds groups from records. Afterwards a classic group's own records come back through
//     Replay too, and change nothing that the step which wrote them did not change; only tombstones remove.
//   - An assignment reaches members only after its record is committed, and it is the last that the log has of the
//     generation.
//   - Joins wait in PreparingRebalance only, syncs in CompletingRebalance only; the alarm of the join phase is on exactly
//     in PreparingRebalance, that of the sync phase while somebody has yet to sync, that of a session while the member is
//     in the group.
//   - The same calls at the same times write the same records and give the same answers in the same order.
package group
