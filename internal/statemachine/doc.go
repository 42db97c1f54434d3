// Package statemachine runs the plain objects that take Ottla's decisions: the coordinators of groups and
// transactions, and the controller.
//
// A [Machine] is a plain object over one log. It has no goroutine, no clock, no file and no lock. A request
// comes in as a method call with the time; an [Output] comes out: records to append and functions that
// answer. Durable state changes in Replay alone, so what a machine holds after a restart is what it held
// before. An [Engine] runs one machine over one [Log]; a [Host] keeps the engines of the partitions of an
// internal topic that this broker leads. Kafka's counterparts are CoordinatorRuntime, CoordinatorShard and
// QuorumController.
//
// # One request
//
// An OffsetCommit for group "g", whose offsets live in partition 7 of __consumer_offsets:
//
//  1. The API handler asks the host: engine, err := host.Get(7). Not led here: NOT_COORDINATOR. Still
//     replaying its log: COORDINATOR_LOAD_IN_PROGRESS.
//  2. It hands over a step, engine.Do(step, failed), whose body is one call of a method of the machine:
//     return m.CommitOffsets(now, request, reply).
//  3. If nobody runs this machine, the caller's goroutine does so now; otherwise the step is queued and the
//     goroutine that does takes it next. There is one step at a time, and no goroutine belongs to an engine.
//  4. CommitOffsets checks the request against the machine's state, changes nothing durable, and returns
//     Output{Records: ..., Then: []func(error){ ... }}. Then answers the client.
//  5. The engine appends the records as one batch (all of them or none) and replays each with its offset.
//     The next step sees their effect at once, though they are not committed yet.
//  6. When the log reports everything up to the batch as committed, Then is called with nil and the reply
//     leaves. Many steps wait for the same commit: what a hundred connections appended while one fdatasync
//     ran is made durable by the next one.
//
// A step without records (a read, or a refusal) goes the same way and also waits for the commit of whatever
// was appended before it, because it may have seen it. Nothing pending: it is answered at once.
//
// # Promises
//
//   - Steps run one at a time in the order of Do. Then functions run in the order of steps, one at a time,
//     without any lock of the engine, and may call Do. They must not block.
//   - Every function in an Output's Then is called exactly once: with nil after the commit of the step and of
//     all before it, otherwise with an error. The failed function of Do is called if, and only if, the step
//     did not run at all.
//   - A step whose records cannot be appended changes nothing durable: nothing is replayed, its Then
//     functions get the error, the engine goes on. Therefore the rule for machines: whatever a step changes
//     besides returning records (waiting joins, timers, caches) must be safe when the append fails; a machine
//     that has to take something back does it in a further step, started from Then.
//   - A failed commit leaves open what the log holds, so the engine stops: every waiting Then gets the error,
//     and so does every later step. Whoever leads the partition next replays the log afresh.
//   - Each step has a batch of its own. Steps cannot share one: a step may only run on the replayed records
//     of the step before it, and replaying what is not appended could not be taken back. What steps share is
//     the expensive part, the commit.
//   - An idle engine costs its machine and, if the machine asked for a wake-up, one timer.
package statemachine
