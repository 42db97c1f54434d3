package tools

import "io"

const groupUsage = `usage:
  ottla group why [--bootstrap-server HOST:PORT] [--http HOST:PORT] [--command-config FILE] [--last N] GROUP
      says in plain words how a group is: its state, its members, how far behind it is, the last N (10) rebalances and
      refused requests with their causes, and what to do about them. The causes come from the HTTP endpoint of any broker
      (http.address, localhost:9644): it asks the one that coordinates the group, which keeps them in memory since it started.
      Exit code 0: said; 1: the broker or the group cannot be asked; 2: the command line.
`

// Group is the command `ottla group`: what Kafka's tools do not say of a group. It returns the exit code.
func Group(args []string, stdout, stderr io.Writer) int {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch verb {
	case "why":
		inv := &invocation{name: "group why", args: args, stdout: stdout, stderr: stderr}
		return inv.groupWhy()
	case "help", "--help", "-h":
		io.WriteString(stdout, groupUsage)
		return 0
	}
	io.WriteString(stderr, groupUsage)
	return exitMisuse
}
