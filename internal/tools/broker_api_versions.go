package tools

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/tools/options"
	"github.com/ottla/ottla/internal/wire"
)

// brokerAPIVersionsOptions are the options of kafka-broker-api-versions.
type brokerAPIVersionsOptions struct {
	parser            *options.Parser
	bootstrap, config *options.Option
}

func newBrokerAPIVersionsOptions() *brokerAPIVersionsOptions {
	p := options.NewParser()
	return &brokerAPIVersionsOptions{
		parser:    p,
		bootstrap: p.Value("bootstrap-server", "server(s) to use for bootstrapping", "REQUIRED: The server to connect to."),
		config:    p.Value("command-config", "command config property file", "Properties file for the client."),
	}
}

// runBrokerAPIVersions is kafka-broker-api-versions.
func runBrokerAPIVersions(inv *invocation) int {
	err := inv.brokerAPIVersions()
	if exit, ok := inv.finish(err); ok {
		return exit
	}
	inv.complain(err.Error())
	inv.trace("", err)
	return 1
}

func (inv *invocation) brokerAPIVersions() error {
	o := newBrokerAPIVersionsOptions()
	set, err := o.parser.Parse(inv.args)
	if err != nil {
		return err
	}
	if err := inv.helpOrVersion(o.parser, set, "This tool helps to retrieve broker version information."); err != nil {
		return err
	}
	r := &rules{parser: o.parser, set: set}
	if r.require(o.bootstrap); r.err != nil {
		return r.err
	}
	reader := set.Reader()
	path, addr := reader.String(o.config), reader.String(o.bootstrap)
	if err := reader.Err(); err != nil {
		return err
	}
	s, err := loadSettings(path)
	if err != nil {
		return err
	}
	a, err := inv.newAdmin(s, addr, "")
	if err != nil {
		return err
	}
	defer a.close()
	described, err := a.describeCluster(false)
	if err != nil {
		return err
	}
	slices.SortFunc(described.Brokers, func(a, b kmsg.DescribeClusterResponseBroker) int { return int(a.NodeID - b.NodeID) })
	for _, b := range described.Brokers {
		inv.printAPIVersions(a, b)
	}
	return nil
}

func (inv *invocation) printAPIVersions(a *admin, b kmsg.DescribeClusterResponseBroker) {
	rack := "null"
	if b.Rack != nil {
		rack = *b.Rack
	}
	who := fmt.Sprintf("%s:%d (id: %d rack: %s isFenced: %t)", b.Host, b.Port, b.NodeID, rack, b.IsFenced)
	response, err := a.callBroker(b.NodeID, "apiVersions", askVersions())
	if err == nil {
		err = responseError(response.(*kmsg.ApiVersionsResponse).ErrorCode, nil)
	}
	if err != nil {
		inv.println(who + " -> ERROR: " + err.Error())
		return
	}
	inv.println(who + " -> (\n\t" + strings.Join(describeAPIs(response.(*kmsg.ApiVersionsResponse).ApiKeys), ",\n\t") + "\n)")
}

// describeAPIs has a line for each API that the broker serves or a client may want (NodeApiVersions.toString).
func describeAPIs(served []kmsg.ApiVersionsResponseApiKey) []string {
	lines := map[int16]string{}
	for _, s := range served {
		versions := fmt.Sprintf("%d to %d", s.MinVersion, s.MaxVersion)
		if s.MinVersion == s.MaxVersion {
			versions = fmt.Sprint(s.MinVersion)
		}
		known, found := wire.FindAPI(s.ApiKey)
		switch {
		case !found || known.Own():
			lines[s.ApiKey] = fmt.Sprintf("UNKNOWN(%d): %s", s.ApiKey, versions)
			continue
		case known.Max < s.MinVersion:
			versions += " [unusable: node too new]"
		case s.MaxVersion < known.Min:
			versions += " [unusable: node too old]"
		default:
			versions += fmt.Sprintf(" [usable: %d]", min(known.Max, s.MaxVersion))
		}
		lines[s.ApiKey] = fmt.Sprintf("%s(%d): %s", known.Name, s.ApiKey, versions)
	}
	for _, known := range wire.APIs {
		if _, found := lines[known.Key]; !found && known.Broker && !known.Own() {
			lines[known.Key] = fmt.Sprintf("%s(%d): UNSUPPORTED", known.Name, known.Key)
		}
	}
	var sorted []string
	for _, key := range slices.Sorted(maps.Keys(lines)) {
		sorted = append(sorted, lines[key])
	}
	return sorted
}
