// Package metadata is the picture of the cluster: which topics, partitions, brokers, configurations,
// features and producer ids there are after replaying the cluster metadata log up to some offset.
//
// Nouns. An Image is one such picture; it never changes once it exists, so anybody may read it without a
// lock. A Delta is an Image being changed: records are replayed into it, and Apply makes the next Image.
// Changes says what differs between two Images. A Store holds the current Image of a process and tells
// subscribers about the next.
//
// Invariants:
//   - The records are Kafka's own cluster metadata records (org.apache.kafka.common.metadata), so that
//     Kafka's dump tool reads our metadata log; replay gives each the meaning that Kafka 4.3 gives it.
//   - Two Images share whatever is equal: a change of one topic out of 10,000 copies one chunk of a sorted
//     table and the list of the chunks (see sorted), some microseconds.
//   - Iteration is in the order of the keys, so the same log gives the same Image.Records everywhere.
//   - Values that an Image hands out (slices, maps, pointers) are shared and must not be written to.
//   - Nothing here reads a clock or a file, or draws a random number.
package metadata
