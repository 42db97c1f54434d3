// Package torture kills the built broker with SIGKILL again and again while clients write, read and commit, and checks after
// every restart that nothing that was acknowledged is missing, doubled or out of order. `make torture-crash KILLS=1000
// SEED=7` runs it for long; `make test` has a share of 20 kills.
//
// The workload (workload_test.go) is a set of topics, each with its own promise; writers, committing groups; the checker is
// package ledger, which knows what clients were told and nothing of the broker. Besides, `ottla storage verify` reads the
// directory as each kill leaves it.
//
// Transactional producers come with transactions: as writers whose records the ledger counts when the commit was
// acknowledged, read with isolation.level=read_committed.
package torture
