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
// Neither looks at racks, as in Kafka 4.3: a member's rack only matters to where it fetches from.
package assignor
