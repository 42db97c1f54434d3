package tools

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/ottla/ottla/internal/tools/argparse"
)

// transactionCommands are the commands of kafka-transactions.
var transactionCommands = map[string]func(*transactionsTool) error{
	"list":                      (*transactionsTool).list,
	"describe":                  (*transactionsTool).describe,
	"describe-producers":        (*transactionsTool).describeProducers,
	"abort":                     (*transactionsTool).abort,
	"find-hanging":              (*transactionsTool).findHanging,
	"forceTerminateTransaction": (*transactionsTool).terminate,
}

func transactionsParser() *argparse.Parser {
	topic := argparse.Argument{Name: "--topic", Help: "topic name", Required: true}
	partition := argparse.Argument{Name: "--partition", Help: "partition number", Kind: argparse.Integer, Required: true}
	optional := func(a argparse.Argument) argparse.Argument { a.Required = false; return a }
	broker := argparse.Argument{Name: "--broker-id", Help: "ask this broker's replica instead of the leader", Kind: argparse.Integer}
	id := func(name string) argparse.Argument {
		return argparse.Argument{Name: name, Help: "transactional id", Required: true}
	}
	return &argparse.Parser{
		Program:     "kafka-transactions.sh",
		Description: "Shows what transactional producers are doing, and finds and ends transactions that hang.",
		Arguments: []argparse.Argument{
			{Name: "--command-config", Metavar: "FILE", Help: "properties file for the client"},
			{Name: "--bootstrap-server", Metavar: "host:port", Help: "brokers to connect to, separated by commas", Required: true},
		},
		Commands: []argparse.Command{
			{Name: "list", Help: "list transactions", Arguments: []argparse.Argument{
				{Name: "--duration-filter", Help: "only transactions that have been open for more than so many ms; all if negative", Kind: argparse.Long},
				{Name: "--transactional-id-pattern", Help: "only transactional ids that match this regular expression (RE2)"},
			}},
			{Name: "describe", Help: "describe the state of a transactional id", Arguments: []argparse.Argument{id("--transactional-id")}},
			{Name: "describe-producers", Help: "describe the producers that a partition knows", Arguments: []argparse.Argument{broker, topic, partition}},
			{Name: "abort", Help: "abort a transaction that hangs in a partition", Arguments: []argparse.Argument{topic, partition,
				{Name: "--start-offset", Help: "offset at which the transaction starts", Kind: argparse.Long},
				{Name: "--producer-id", Help: "instead of the offset: the producer's id", Kind: argparse.Long},
				{Name: "--producer-epoch", Help: "with --producer-id: its epoch", Kind: argparse.Short},
				{Name: "--coordinator-epoch", Help: "with --producer-id: the epoch of the coordinator", Kind: argparse.Integer},
			}},
			{Name: "find-hanging", Help: "find transactions that hang", Arguments: []argparse.Argument{broker,
				{Name: "--max-transaction-timeout", Help: "in minutes: younger transactions do not count (15)", Kind: argparse.Integer},
				optional(topic), optional(partition),
			}},
			{Name: "forceTerminateTransaction", Help: "abort the open transaction of a transactional id and fence its producer", Arguments: []argparse.Argument{id("--transactionalId")}},
		},
	}
}

// transactionsTool is one run of kafka-transactions.
type transactionsTool struct {
	*invocation
	*admin
	args *argparse.Parsed
}

// runTransactions is kafka-transactions.
func runTransactions(inv *invocation) int {
	args, err := transactionsParser().Parse(inv.args)
	if err != nil {
		return inv.notParsed(err)
	}
	s, err := loadSettings(args.Text("--command-config"))
	if err != nil {
		inv.complain(failedTo("load admin client properties", err).Error())
		return 1
	}
	a, err := inv.newAdmin(s, args.Text("--bootstrap-server"), "")
	if err == nil {
		defer a.close()
		err = transactionCommands[args.Command](&transactionsTool{inv, a, args})
	}
	if err != nil {
		inv.complain(err.Error())
		return 1
	}
	return 0
}

// notParsed ends a tool whose command line asks for nothing that can be done.
func (inv *invocation) notParsed(err error) (exit int) {
	if e, ok := errors.AsType[*argparse.Usage](err); ok {
		inv.complain(e.Usage)
		inv.complain(e.Message)
		return 1
	}
	if e, ok := errors.AsType[*argparse.Help](err); ok {
		inv.printf("%s", e.Text)
		return 1
	}
	inv.println(Version)
	return 0
}

// failedTo words the failure of a request as TransactionsCommand does.
func failedTo(what string, err error) error {
	return &plainError{"Failed to " + what + ": " + err.Error() + ". Enable debug logging for additional detail."}
}

// printTable prints columns of equal width, with tabs between them (ToolsUtils.prettyPrintTable).
func (inv *invocation) printTable(headers []string, rows [][]string) {
	widths := make([]int, len(headers))
	all := append([][]string{headers}, rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)) + "\t")
		}
		inv.println(line.String())
	}
}
