package tools

import (
	"io"
)

const topicUsage = `usage:
  ottla topic durability [--bootstrap-server HOST:PORT] [--command-config FILE] NAME
      says in plain words what an acknowledgement of this topic means now, and what a crash, a power failure or the loss of a
      disk takes.
  ottla topic why [--http HOST:PORT] NAME
      says which replicas are not in sync, how far behind and since when, why, and what to do; any broker's HTTP endpoint
      (localhost:9644) can be asked.
Exit code 0: said; 1: the broker or the topic cannot be asked; 2: the command line.
`

// Topic is the command `ottla topic`: what Kafka's tools do not say of a topic. It returns the exit code.
func Topic(args []string, stdout, stderr io.Writer) int {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch verb {
	case "durability":
		inv := &invocation{name: "topic durability", args: args, stdout: stdout, stderr: stderr}
		return inv.topicDurability()
	case "why":
		inv := &invocation{name: "topic why", args: args, stdout: stdout, stderr: stderr}
		return inv.topicWhy()
	case "help", "--help", "-h":
		io.WriteString(stdout, topicUsage)
		return 0
	}
	io.WriteString(stderr, topicUsage)
	return exitMisuse
}
