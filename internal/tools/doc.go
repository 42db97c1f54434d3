// Package tools is the command line of Kafka: kafka-topics, kafka-console-producer and the others, as one
// Go function each, over the franz-go client.
//
// The promise: options, output on stdout and on stderr, and exit codes are those of the tools of Kafka
// 4.3.1, because scripts read them; test/golden holds them against recordings. Where Kafka prints the
// stack trace of a Java exception, these tools print its first line; where it prints a log line, so do these
// (log.go). Help texts are our own.
//
// Nouns: an invocation is one run of a tool, with its arguments and its three streams; an exception is a
// failure with the name that Kafka's tools give it; settings are the client properties of a run, from
// --command-config and --command-property; an admin is a connected client that knows the calls of Kafka's
// Admin and their time limits.
package tools
