// Package conformance holds the tests that run clients which we did not write against a broker: kafka-python, librdkafka,
// aiokafka, kafkajs, Kafka's own Java clients and tools, franz-go, sarama, segmentio's kafka-go; besides them hostile input.
//
// The beginner's course (course_test.go) is the common text: each client walks through the same named steps in a program of
// its own language, below the folder of that language. A program prints a line `ok STEP` or `not ok STEP: why` per step, and
// a step that is not reported fails.
//
// What the programs need is fetched by their own package managers into the user's cache directory, once per content of the
// file that names it (requirements, package.json, pom.xml, go.mod). A language whose runtime is missing is skipped with the
// name of what to install, or fails with OTTLA_TEST_ALL=1.
//
// Proofs (streams_test.go, copiers_test.go, connect_test.go) are applications that others wrote, or that use what others wrote
// as applications do, while the broker and they are killed (faults_test.go): what comes out is compared with what went in, each
// record exactly once. `make proof-streams` and `make proof-copiers` let them run for as long as one likes.
//
// OTTLA_TEST_NODES=3 gives every test a cluster of three nodes, one of which is killed in turn where a broker would be; with
// OTTLA_TEST_FAULTS=all everything happens to it that package test/torture/machines knows.
//
// A house (directory_house_test.go) is a data directory that real Kafka and Ottla serve by turns, at one address: what each says
// of the groups and transactions in it, and applications that notice nothing. `make proof-directory` lets those run longer.
//
// OTTLA_TEST_REAL=1 gives every test a real Kafka of its own instead of Ottla, which is killed and restarted in the same way: a
// new test passes there first. OTTLA_TEST_BOOTSTRAP=host:port takes a broker that is running already; nothing is killed then.
package conformance
