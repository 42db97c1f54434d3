// Package causes keeps why decisions were taken: who asked for what, which limit decided, and what the setting is called. Groups
// and transactions note them, and `ottla group why` and `ottla transaction why` tell them.
//
// Nouns. A cause is a struct of the package that decides; a [Ring] keeps the latest ones of each subject (a group, a
// transactional id), and [When] is what it fills in. A [Client] is who sent the request that a cause is about.
//
// Invariants:
//   - A ring keeps at most [MostOfOne] causes of a subject and [MostBytes] of all subjects together, whatever clients call
//     themselves; what it drops is the least recent, of the subject or of all.
//   - The same cause once more is counted, and takes the place of the one before: a client that fails again and again does not
//     push out what began it.
//   - Everything is in memory: a restart begins without causes, and so does whoever coordinates the subject next.
package causes
