package tools

import (
	"context"
	"errors"
	"net"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/tools/argparse"
)

// endpointControllers is the endpoint type of a DescribeCluster request that asks for controllers (KIP-919).
const endpointControllers = 2

// newAdminOf is newAdmin for a tool that takes --bootstrap-server or --bootstrap-controller.
func (inv *invocation) newAdminOf(s *settings, args *argparse.Parsed) (*admin, error) {
	return inv.newAdminOfEither(s, args.Text(bootstrapServer), args.Text(bootstrapController), "")
}

// newAdminOfEither is newAdmin for brokers, or, if there are any, for controllers: requests then go to the active one itself,
// whatever the brokers do (KIP-919).
func (inv *invocation) newAdminOfEither(s *settings, brokers, bootstrap, clientID string) (*admin, error) {
	if bootstrap == "" {
		return inv.newAdmin(s, brokers, clientID)
	}
	a, err := inv.newAdmin(s, bootstrap, clientID)
	if err != nil {
		return nil, err
	}
	a.controllers = &controllers{admin: a, connect: func(addr string) (*kgo.Client, error) {
		s.values["bootstrap.servers"] = addr
		return kgo.NewClient(append(s.connection(), kgo.RetryTimeout(a.timeout))...)
	}}
	return a, nil
}

const (
	bootstrapServer     = "--bootstrap-server"
	bootstrapController = "--bootstrap-controller"
)

// bootstrapArguments are the two ways to say where the cluster is; one of them must be taken if required.
func bootstrapArguments(required bool) []argparse.Argument {
	return []argparse.Argument{
		{Name: bootstrapServer, Help: "brokers to connect to, separated by commas", Choice: "bootstrap", Required: required},
		{Name: bootstrapController, Help: "controllers to connect to, separated by commas", Choice: "bootstrap", Required: required},
	}
}

// controllers finds the active controller among those that the tool was told of. No metadata is asked for, which
// controllers do not serve.
type controllers struct {
	admin   *admin
	connect func(addr string) (*kgo.Client, error)
	active  *kgo.Client
}

// request sends a request to the active controller.
func (c *controllers) request(ctx context.Context, rq kmsg.Request) (kmsg.Response, error) {
	if _, topics := rq.(*kmsg.MetadataRequest); topics {
		return nil, errBrokersOnly
	}
	if c.active == nil {
		if err := c.find(ctx); err != nil {
			return nil, err
		}
	}
	response, err := c.active.SeedBrokers()[0].Request(ctx, rq)
	if err == nil && isInactive(response) {
		err = kerr.NotController
	}
	if err != nil {
		c.close() // another one may be active by now
	}
	return response, err
}

// find connects to the active controller.
func (c *controllers) find(ctx context.Context) error {
	described, err := c.describe(ctx)
	if err == nil {
		c.active, err = c.clientOf(described, described.ControllerID)
	}
	if errors.Is(err, errNoNode) {
		return errors.New("no controller is active")
	}
	return err
}

// describe asks the controllers that the tool was told of, one after the other, who they are.
func (c *controllers) describe(ctx context.Context) (*kmsg.DescribeClusterResponse, error) {
	rq := kmsg.NewPtrDescribeClusterRequest()
	rq.EndpointType = endpointControllers
	var last error
	for _, seed := range c.admin.client.SeedBrokers() {
		response, err := seed.Request(ctx, rq)
		if err == nil {
			described := response.(*kmsg.DescribeClusterResponse)
			if err = responseError(described.ErrorCode, described.ErrorMessage); err == nil {
				return described, nil
			}
		}
		last = err
	}
	return nil, last
}

// errBrokersOnly is for what only brokers know.
var errBrokersOnly = &exception{class: "org.apache.kafka.common.errors.UnsupportedEndpointTypeException",
	message: "This Admin API is not yet supported when communicating directly with the controller quorum."}

// errNoNode is for a node that is not in the cluster.
var errNoNode = errors.New("there is no such node")

// clientOf connects to one of the controllers.
func (c *controllers) clientOf(described *kmsg.DescribeClusterResponse, id int32) (*kgo.Client, error) {
	for _, b := range described.Brokers {
		if b.NodeID == id {
			return c.connect(net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port))))
		}
	}
	return nil, errNoNode
}

// requestOf sends a request to one controller.
func (c *controllers) requestOf(ctx context.Context, id int32, rq kmsg.Request) (kmsg.Response, error) {
	described, err := c.describe(ctx)
	if err != nil {
		return nil, err
	}
	client, err := c.clientOf(described, id)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return client.SeedBrokers()[0].Request(ctx, rq)
}

// isInactive reports whether a controller answered that it is not the active one any more.
func isInactive(response kmsg.Response) bool {
	var code int16
	switch r := response.(type) {
	case *kmsg.IncrementalAlterConfigsResponse:
		if len(r.Resources) > 0 {
			code = r.Resources[0].ErrorCode
		}
	case *kmsg.AlterPartitionAssignmentsResponse:
		code = r.ErrorCode
	case *kmsg.ListPartitionReassignmentsResponse:
		code = r.ErrorCode
	case *kmsg.UnregisterBrokerResponse:
		code = r.ErrorCode
	case *kmsg.UpdateFeaturesResponse:
		code = r.ErrorCode
	}
	return code == kerr.NotController.Code
}

func (c *controllers) close() {
	if c.active != nil {
		c.active.Close()
		c.active = nil
	}
}
