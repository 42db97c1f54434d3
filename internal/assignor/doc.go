// Package assignor shares the partitions of topics among the members of a group, as the server-side assignors of Kafka 4.3 do
// (KIP-848; org.apache.kafka.coordinator.group.assignor).
//
// Nouns. A [Spec] is who is in the group, what each [Member] subscribes to and which [Partitions] it was given last; [Topics]
// tells how many partitions a topic has; an [Assignment] is what each member is to have from now on.
//
// Assignors are functions of their arguments alone: the same group gets the same assignment, everywhere and always. Every
// partition of a topic that somebody subscribes to goes to exactly one of its subscribers.
//
//   - [Range] gives each member of a topic a range of its partitions, so that topics with equally many partitions and the same
//     subscribers are shared alike (which joins need).
//   - [Uniform] gives every member as many partitions as the others, or one more, and leaves as many as it can where they are.
//   - [StickyTasks] shares the tasks of Kafka Streams applications (KIP-1071), active ones and standbys.
//
// Racks. Kafka 4.3 hands its server-side assignors the racks of members and partitions, and they do not look at them (those before
// 4.0, and the consumers' own range and cooperative-sticky, do: KIP-881). Here [Uniform] and [Range] do, so that a group with
// client.rack loses nothing when it goes over to the new protocol, but only between choices that are equal otherwise:
//
//   - Every member gets exactly as many partitions as without racks, and with Uniform keeps as many of its partitions; topics that
//     are partitioned alike are still shared alike by Range. A partition never moves only to be nearer.
//   - Which partitions a member gives up, and who gets those that are free, is decided in favour of a rack with a replica.
//   - Free partitions are dealt out by rack only if more of them are near then: racks never make an assignment farther.
//   - Without client.rack, without broker.rack, or if every partition has a replica in every member's rack, the assignment is
//     Kafka's, partition by partition.
//
// [StickyTasks] does not look at racks.
package assignor
