// Package compose tests that compose files written for the images of Kafka configure Ottla: it reads the environment of the
// broker's service out of such a file, starts the built binary with it and uses every listener as a client.
//
// The files in testdata have the forms that people have: cp-zookeeper with cp-kafka, cp-kafka, apache/kafka and bitnami/kafka
// in KRaft mode, environments as maps and as lists. Their variables reach the broker as they are, but for what only a
// container has: host ports become free ports of this machine, and the container's own host name, where it is bound to, loopback.
package compose
