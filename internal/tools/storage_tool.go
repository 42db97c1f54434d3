package tools

import (
	"errors"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/format"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/tools/argparse"
)

func storageToolParser() *argparse.Parser {
	properties := argparse.Argument{Name: "--config", Short: "-c", Help: "the properties of the node", Required: true}
	release := argparse.Argument{Name: "--release-version", Short: "-r", Help: "the release whose features are meant, such as 4.3; the newest by default"}
	return &argparse.Parser{
		Program:     "kafka-storage",
		Description: "Formats the log directories of a node, and says how they are formatted.",
		Commands: []argparse.Command{
			{Name: "info", Help: "whether and for what the log directories are formatted", Arguments: []argparse.Argument{properties}},
			{Name: "format", Help: "format the log directories", Arguments: []argparse.Argument{
				properties,
				{Name: "--cluster-id", Short: "-t", Help: "the id of the cluster, the same on all nodes", Required: true},
				{Name: "--add-scram", Short: "-S", Help: "a user of the new cluster: SCRAM-SHA-256=[name=alice,password=secret]", Repeated: true},
				{Name: "--ignore-formatted", Short: "-g", Help: "leave directories that are formatted as they are", Kind: argparse.Flag},
				release,
				{Name: "--feature", Short: "-f", Help: "the level of a feature: group.version=1", Repeated: true},
				{Name: "--standalone", Short: "-s", Help: "this node is the first and only voter of a quorum that others join later", Kind: argparse.Flag, Choice: "voters"},
				{Name: "--no-initial-controllers", Short: "-N", Help: "this node joins a quorum", Kind: argparse.Flag, Choice: "voters"},
				{Name: "--initial-controllers", Short: "-I", Help: "the first voters: id@host:port:directory-id,...; the same on all of them", Choice: "voters"},
			}},
			{Name: "version-mapping", Help: "the levels of features that belong to a release", Arguments: []argparse.Argument{release}},
			{Name: "feature-dependencies", Help: "what levels of features need of others", Arguments: []argparse.Argument{
				{Name: "--feature", Short: "-f", Help: "feature=level", Repeated: true, Required: true}}},
			{Name: "random-uuid", Help: "an id for a new cluster"},
		},
	}
}

// runStorageTool is kafka-storage.
func runStorageTool(inv *invocation) int {
	args, err := storageToolParser().Parse(inv.args)
	if err != nil {
		if exit := inv.notParsed(err); !isHelp(err) {
			return exit
		}
		return 0
	}
	exit, err := inv.storage(args)
	if err == nil {
		return exit
	}
	if e, ok := errors.AsType[*format.Error](err); ok {
		err = &plainError{e.Error()}
	}
	if exit, ok := inv.finish(err); ok {
		return exit
	}
	if javaString(err) == err.Error() {
		err = &exception{class: "java.lang.RuntimeException", message: err.Error()}
	}
	inv.trace("Exception in thread \"main\" ", err)
	return 1
}

func isHelp(err error) bool {
	_, is := errors.AsType[*argparse.Help](err)
	return is
}

func (inv *invocation) storage(args *argparse.Parsed) (exit int, err error) {
	switch args.Command {
	case "random-uuid":
		inv.println(kafka.NewUUID().String())
		return 0, nil
	case "version-mapping":
		return 0, inv.printVersionMapping(args.Text("--release-version"))
	case "feature-dependencies":
		return 0, inv.printDependencies(args.Texts("--feature"), storageTexts)
	}
	c, err := nodeConfig(args.Text("--config"))
	if err != nil {
		return 1, err
	}
	if args.Command == "info" {
		return inv.storageInfo(c), nil
	}
	return 0, inv.formatStorage(args, c)
}

// nodeConfig reads the properties of a node. Where a node without settings could do with defaults, Kafka's tool wants to be told what it
// formats for.
func nodeConfig(path string) (*config.Broker, error) {
	properties, err := loadProperties(path)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"process.roles", "node.id", "controller.listener.names"} {
		if _, found := properties[name]; !found && !(name == "node.id" && properties["broker.id"] != "") {
			return nil, configException("Missing required configuration \"" + name + "\" which has no default value.")
		}
	}
	c, _, err := config.Load(config.Sources{File: path})
	if err != nil {
		return nil, configException(strings.TrimPrefix(err.Error(), "config: "))
	}
	return c, nil
}

// logDirectories are the log directories and that of the metadata log, sorted.
func logDirectories(c *config.Broker) []string {
	return slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(c.LogDirs()), c.MetadataDir()))))
}
