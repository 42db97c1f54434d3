// Package argparse reads the command lines of those of Kafka's tools that are commands with options of their own:
// kafka-transactions [OPTION...] COMMAND [OPTION...]. Kafka writes them with argparse4j, its other tools with jopt-simple
// (package options). Messages and exit codes are argparse4j's; the lay-out of usage and help is ours.
package argparse
