// Package torture kills the built broker with SIGKILL again and again while clients write, read and commit, and checks after
// every restart that nothing that was acknowledged is missing, doubled or out of order. `make torture-crash KILLS=1000
// SEED=7` runs it for long; `make test` has a share of 15 kills.
//
// The workload (workload_test.go) is a set of topics, each with its own promise; writers, committing groups; the checker is
// package ledger, which knows what clients were told and nothing of the broker. Besides, `ottla storage verify` reads the
// directory as kills leave it.
//
// Transactions are of both protocols: transactors (transactional_test.go) commit and abort, beside writers without
// transactions on the same partitions; some leave a transaction open for ever, which has to time out; copiers
// (copier_test.go) consume, transform and produce with their offsets in the transaction. Topics with transactions are read
// with isolation.level=read_committed, up to a record that the checker writes itself: below it everything is decided. What
// the client has not asked to commit is never seen, what was acknowledged is there, and a transaction in doubt is there
// whole or not at all; copies have no gap, and there are as many of them as their group's committed offset says.
//
// TestCluster does the same to three processes that form a cluster, with what package machines knows: several killed at a
// time, paused, cut off in one direction, on full and on replaced disks, restarted by an operator, while replicas and leaders
// move. The checks come at the end; besides, the replicas of every partition have the same bytes. `make torture-cluster
// MINUTES=10 SEED=7` runs it for long.
package torture
