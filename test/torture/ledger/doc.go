// Package ledger keeps the books of a torture test: what clients were told ([Ledger]) and what is read back ([Reading]),
// and says where they differ. It talks to nobody.
//
// A record names itself: topic, producer, partition, and the producer's count of what it sent to that partition. A [Promise]
// is what a topic's clients may rely on.
package ledger
