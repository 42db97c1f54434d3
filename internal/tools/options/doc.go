// Package options reads the command lines of the kafka-* tools.
//
// The rules are those of joptsimple, the parser of Kafka's own tools, because scripts rely on them:
// "--name value", "--name=value" and "-name value" are the same; a value may begin with '-'; an option may come
// more than once; names are never abbreviated; arguments that belong to no option are collected and
// otherwise ignored; "--" ends the options.
//
// A Parser is a list of Option values; Parse turns arguments into a Set. Values are converted when they
// are read, through a Reader that keeps the first failure, so a malformed number shows up where the
// tool uses it, as in Kafka.
package options
