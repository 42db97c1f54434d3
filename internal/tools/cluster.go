package tools

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/tools/argparse"
)

func clusterParser() *argparse.Parser {
	with := func(own ...argparse.Argument) []argparse.Argument {
		connection := bootstrapArguments(true)
		connection[0].Short, connection[1].Short = "-b", "-C"
		return append(append(connection,
			argparse.Argument{Name: "--config", Help: "deprecated: use --command-config"},
			argparse.Argument{Name: "--command-config", Short: "-c", Help: "properties file for the client"},
		), own...)
	}
	return &argparse.Parser{
		Program:     "kafka-cluster",
		Description: "Says which cluster it is and which nodes it has, and forgets brokers that are gone for good.",
		Commands: []argparse.Command{
			{Name: "cluster-id", Help: "the id of the cluster", Arguments: with()},
			{Name: "unregister", Help: "forget a broker that will not come back", Arguments: with(
				argparse.Argument{Name: "--id", Short: "-i", Help: "the broker's id", Kind: argparse.Integer, Required: true})},
			{Name: "list-endpoints", Help: "the nodes and where they listen", Arguments: with(
				argparse.Argument{Name: "--include-fenced-brokers", Help: "also brokers that are not alive", Kind: argparse.Flag})},
		},
	}
}

// clusterCommands are the commands of kafka-cluster.
var clusterCommands = map[string]func(inv *invocation, a *admin, args *argparse.Parsed) error{
	"cluster-id":     (*invocation).showClusterID,
	"unregister":     (*invocation).unregister,
	"list-endpoints": (*invocation).listEndpoints,
}

// runCluster is kafka-cluster.
func runCluster(inv *invocation) int {
	args, err := clusterParser().Parse(inv.args)
	if err != nil {
		return inv.notParsed(err)
	}
	err = inv.lookAtCluster(args)
	if exit, ok := inv.finish(err); ok {
		return exit
	}
	inv.complain(err.Error())
	inv.trace("", err)
	return 1
}

func (inv *invocation) lookAtCluster(args *argparse.Parsed) error {
	config := args.Text("--command-config")
	if args.Has("--config") {
		if config != "" {
			return &exception{class: "net.sourceforge.argparse4j.inf.ArgumentParserException", message: "--config and --command-config cannot be specified together."}
		}
		inv.println("Option --config has been deprecated and will be removed in a future version. Use --command-config instead.")
		config = args.Text("--config")
	}
	if args.Has("--include-fenced-brokers") && args.Has(bootstrapController) {
		return illegalArgument("The option --include-fenced-brokers is only supported with --bootstrap-server option")
	}
	s, err := loadSettings(config)
	if err != nil {
		return err
	}
	a, err := inv.newAdminOf(s, args)
	if err != nil {
		return err
	}
	defer a.close()
	return clusterCommands[args.Command](inv, a, args)
}

// describeCluster asks for the nodes: of brokers, with fenced ones if they are wanted, or of controllers.
func (a *admin) describeCluster(fenced bool) (*kmsg.DescribeClusterResponse, error) {
	rq := kmsg.NewPtrDescribeClusterRequest()
	rq.IncludeFencedBrokers = fenced
	if a.controllers != nil {
		rq.EndpointType = endpointControllers
	}
	response, err := request[*kmsg.DescribeClusterResponse](a, "listNodes", rq)
	if err != nil {
		return nil, err
	}
	return response, responseError(response.ErrorCode, response.ErrorMessage)
}

func (inv *invocation) showClusterID(a *admin, _ *argparse.Parsed) error {
	described, err := a.describeCluster(false)
	if err != nil {
		return err
	}
	inv.println("Cluster ID: " + described.ClusterID)
	return nil
}

func (inv *invocation) unregister(a *admin, args *argparse.Parsed) error {
	rq := kmsg.NewPtrUnregisterBrokerRequest()
	rq.BrokerID = int32(args.Number("--id", 0))
	response, err := request[*kmsg.UnregisterBrokerResponse](a, "unregisterBroker", rq)
	if err == nil {
		err = responseError(response.ErrorCode, response.ErrorMessage)
	}
	if err != nil {
		return inFuture(err)
	}
	inv.printf("Broker %d is no longer registered.\n", rq.BrokerID)
	return nil
}

func (inv *invocation) listEndpoints(a *admin, args *argparse.Parsed) error {
	described, err := a.describeCluster(args.Has("--include-fenced-brokers"))
	if err != nil {
		return err
	}
	hosts, racks := 0, 0
	for _, n := range described.Brokers {
		hosts = max(hosts, len(n.Host))
		if n.Rack != nil {
			racks = max(racks, len(*n.Rack))
		}
	}
	if racks == 0 {
		racks = 10 // as Kafka's, which asks for the longest rack of none
	}
	row := func(id, host, port, rack, state, kind string) {
		if a.controllers == nil {
			state = fmt.Sprintf("%-10s ", state)
		}
		inv.printf("%-10s %-*s %-10s %-*s %s%-15s\n", id, hosts, host, port, racks, rack, state, kind)
	}
	state, kind := "STATE", "broker"
	if a.controllers != nil {
		state, kind = "", "controller"
	}
	row("ID", "HOST", "PORT", "RACK", state, "ENDPOINT_TYPE")
	slices.SortFunc(described.Brokers, func(a, b kmsg.DescribeClusterResponseBroker) int { return int(a.NodeID - b.NodeID) })
	for _, n := range described.Brokers {
		rack := "null"
		if n.Rack != nil {
			rack = *n.Rack
		}
		if state = "unfenced"; n.IsFenced {
			state = "fenced"
		}
		if a.controllers != nil {
			state = ""
		}
		row(strconv.Itoa(int(n.NodeID)), n.Host, strconv.Itoa(int(n.Port)), rack, state, kind)
	}
	return nil
}
