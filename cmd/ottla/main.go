// Command ottla is Apache Kafka in one binary: the broker (`ottla serve`) and Kafka's command-line tools, which it is
// when it is called by one of their names (a symbolic link, or `ottla kafka-topics ...`).
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ottla/ottla/internal/tools"
)

// version is set when a release is built.
var version = "dev"

func main() {
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// run does what the command line says and returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	name := strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	if tool, ok := tools.Lookup(name); ok {
		return tools.Main(tool.Name, args[1:], stdin, stdout, stderr)
	}
	if isRunScript(args[0]) {
		return runScript(args[1:], stdout, stderr)
	}
	if len(args) < 2 {
		usage(stderr)
		return 1
	}
	switch command, rest := args[1], args[2:]; command {
	case "serve":
		return serve(rest, stdout, stderr)
	case "dev":
		return dev(rest, stdout, stderr)
	case "health":
		return health(rest, stdout, stderr)
	case "links":
		return links(rest, stdout, stderr)
	case "storage":
		return tools.Storage(rest, stdin, stdout, stderr)
	case "group":
		return tools.Group(rest, stdout, stderr)
	case "transaction":
		return tools.Transaction(rest, stdout, stderr)
	case "topic":
		return tools.Topic(rest, stdout, stderr)
	case "version", "--version":
		fmt.Fprintf(stdout, "ottla %s (Kafka %s)\n", version, tools.Version)
		return 0
	case "help", "--help", "-h":
		usage(stdout)
		return 0
	default:
		if isRunScript(command) {
			return runScript(rest, stdout, stderr)
		}
		if tool, ok := tools.Lookup(command); ok {
			return tools.Main(tool.Name, rest, stdin, stdout, stderr)
		}
		fmt.Fprintf(stderr, "ottla: there is no command %q\n\n", command)
		usage(stderr)
		return 1
	}
}

func usage(w io.Writer) {
	fmt.Fprint(w, `Ottla is Apache Kafka in one binary.

  ottla serve [--config FILE] [--set KEY=VALUE]...   start a broker (no configuration needed)
  ottla dev [--nodes N] [--dir FOLDER] [--set KEY=VALUE]...  run a cluster of N nodes (3) on this machine, to try it
  ottla health [--config FILE] [--set KEY=VALUE]...  ask the broker that has this configuration whether it is ready
  ottla links [--target PATH] DIR                    make the tools' names as symbolic links in DIR
  ottla storage verify DIR...                        say what is wrong in the log directories of a stopped broker
  ottla storage repair DIR                           bring a damaged log directory back into order; asks first
  ottla group why GROUP                              say how a consumer group is, why it rebalanced, and what to do
  ottla transaction why TRANSACTIONAL_ID             say whose it is, who was fenced or timed out and why, and what to do
  ottla topic durability NAME                        say what an acknowledgement of a topic's records is worth
  ottla topic why NAME                               say which replicas are not in sync, since when, why, and what to do
  ottla version

Kafka's tools, each also under its own name with or without .sh (see links), and with --help:

`)
	for _, name := range tools.Names() {
		tool, _ := tools.Lookup(name)
		fmt.Fprintf(w, "  ottla %-24s %s\n", name, tool.Summary)
	}
}

// links makes the symbolic links, to this binary or to where --target says that it will be.
func links(args []string, stdout, stderr io.Writer) int {
	binary, err := os.Executable()
	if len(args) == 3 && args[0] == "--target" {
		binary, args, err = args[1], args[2:], nil
	}
	if len(args) != 1 {
		fmt.Fprintln(stderr, "usage: ottla links [--target PATH] DIR")
		return 1
	}
	if err == nil {
		err = tools.Links(args[0], binary, tools.Names())
	}
	if err != nil {
		fmt.Fprintln(stderr, "ottla links:", err)
		return 1
	}
	fmt.Fprintf(stdout, "%d tools in %s\n", len(tools.Names()), args[0])
	return 0
}
