// Package txn decides for transactional producers: which producer id and epoch speaks for a transactional id, which
// partitions its open transaction has written to, and whether the transaction ends in a commit or an abort.
//
// Nouns. A [Coordinator] is the state machine (statemachine.Machine) of one partition of __transaction_state; it holds the
// transactional ids that hash to that partition. A transactional id has at most one transaction at a time, in a [State].
// The transaction's partitions get a marker each (a control record that says commit or abort) once its end is decided.
// Kafka's counterparts are TransactionCoordinator, TransactionStateManager, TransactionMetadata and
// TransactionMarkerChannelManager.
//
//	Empty --partitions added--> Ongoing --EndTxn--> PrepareCommit --all markers written--> CompleteCommit
//	  ^                           ^  '-EndTxn, timeout, fenced--> PrepareAbort -----------> CompleteAbort
//	  '-- InitProducerId ---------'---------------- partitions added -----------------------'
//
// Two generations of the protocol (feature transaction.version, KIP-890) meet here. In the old one a producer keeps its
// epoch until it calls InitProducerId. In the new one, TV2, each end of a transaction gives it the next epoch, so that
// nothing of the last transaction can enter the next one, and a retried EndTxn is told from the next EndTxn by its epoch.
//
// What is durable is what __transaction_state holds, in Kafka's format: the newest record of each transactional id. What is
// not: which partitions still lack their marker, and the epoch before the present one, by which a retried InitProducerId is
// known. After a restart all partitions of a transaction whose end is decided get their marker again; partitions know a
// marker that they have already.
//
// Invariants:
//   - The end of a transaction is decided once: the first record that says PrepareCommit or PrepareAbort is followed by
//     markers of that result, and by no other state than its Complete.
//   - A marker is written only after the record that decided it is committed, and Complete only after every partition has
//     its marker or is deleted.
//   - A producer id and epoch are told to a producer only after their record is committed.
//   - A producer's id never comes back with a lower epoch. An epoch that was taken from a producer is refused for ever.
//   - A request is answered once: by its step, or by the one that completes the transaction which it waits for, or that
//     turns it away, or by Stopped. Requests wait for decided transactions only.
//   - The same calls at the same times write the same records and give the same answers in the same order.
package txn
