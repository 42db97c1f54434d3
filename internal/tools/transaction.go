package tools

import "io"

const transactionUsage = `usage:
  ottla transaction why [--bootstrap-server HOST:PORT] [--http HOST:PORT] [--command-config FILE] [--last N] TRANSACTIONAL_ID
      says in plain words how a transactional id is: whose it is, its open transaction, what it waits for, the last N (10)
      times that a producer took it, was fenced, timed out, aborted or was refused, and what to do about them. The causes come
      from the HTTP endpoint of any broker (http.address, localhost:9644): it asks the one that coordinates the id, which keeps
      them in memory since it started.
      Exit code 0: said; 1: the broker or the transactional id cannot be asked; 2: the command line.
`

// Transaction is the command `ottla transaction`: what Kafka's tools do not say of a transactional id. It returns the exit code.
func Transaction(args []string, stdout, stderr io.Writer) int {
	verb := ""
	if len(args) > 0 {
		verb, args = args[0], args[1:]
	}
	switch verb {
	case "why":
		inv := &invocation{name: "transaction why", args: args, stdout: stdout, stderr: stderr}
		return inv.transactionWhy()
	case "help", "--help", "-h":
		io.WriteString(stdout, transactionUsage)
		return 0
	}
	io.WriteString(stderr, transactionUsage)
	return exitMisuse
}
