// Package sim runs a whole cluster in one process: the real brokers on disks in memory (package disk), a network in memory
// (package network) and the simulated time of testing/synctest, while clients work and things go wrong; then it judges what the
// clients were told (package history, and test/torture/ledger).
//
// `make sim SEEDS=1-200` runs seeds and prints those that fail; `make sim SEEDS=17` replays one, with the story of what was
// done to whom. `make sim-planted` proves the simulator: it plants bugs (package internal/planted has the list) and finds each.
//
// # A run
//
// [Run] starts a [Cluster], creates topics, has a producer's epochs soon run out (aged.go), starts the clients (workload_*.go), follows
// a [Plan] of faults, heals everything, waits until every client has finished what it was at, stops the clients, reads everything back,
// stops the nodes cleanly and compares their disks. A run that does not get that far within a bound of simulated time has failed, too: after all is
// healed, a cluster must work again.
//
// # What a seed decides, and how well it replays
//
// The plan: which faults, on whom, at which simulated times, for how long. It is drawn before the run begins and is the same in
// each replay. Delays of links are drawn per connection, times of syncs per disk.
// What a seed does not decide is, in spite of all that package bubble does, the order in which Go runs goroutines that are ready
// at the same simulated instant, and what follows from it: TestReplay has measured that two runs of a seed begin alike and then
// differ in which of several records that are sent at once is acknowledged first (from the sixth of 756 events on, 0.2 s after
// the start). So a seed is a place to look again, not a recording: the same faults come at the same times, upon nearly the same
// state, and a bug that needs a rare interleaving may take several replays (`make sim SEEDS=17 TIMES=20`).
//
// # What is not simulated
//
// A paused node's goroutines go on: its network and its syncs stand still, which is all that others see of a pause. A clock
// is wrong by whole seconds, and does not drift. A write to a connection never blocks. Syncs of anything but segments and journals take no time. The voters stay the same (package
// quorum has random changes of voters, with a model).
package sim
