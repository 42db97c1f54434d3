// Package harness runs the built ottla binary for tests: a broker of its own, in its own process, on a free port of
// loopback, with its data in a temporary directory.
//
// Promises: a broker answers requests when Start or Restart returns; only the process that was started here is ever
// signalled, and it does not outlive the test; its log is printed when the test fails. Nothing is read from the KAFKA_*
// environment of the machine.
package harness
