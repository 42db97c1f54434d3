package tools

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/tools/argparse"
)

// endpointControllers is the endpoint type of a DescribeCluster request that asks for controllers (KIP-919).
const endpointControllers = 2

// newAdminOf is newAdmin for a tool that takes --bootstrap-server or --bootstrap-controller. With the latter requests go to
// the active controller itself, whatever the brokers do (KIP-919).
func (inv *invocation) newAdminOf(s *settings, args *argparse.Parsed) (*admin, error) {
	if !args.Has(bootstrapController) {
		return inv.newAdmin(s, args.Text(bootstrapServer), "")
	}
	a, err := inv.newAdmin(s, args.Text(bootstrapController), "")
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
	if c.active == nil {
		if err := c.find(ctx); err != nil {
			return nil, err
		}
	}
	response, err := c.active.SeedBrokers()[0].Request(ctx, rq)
	if err != nil {
		c.close() // another one may be active by now
	}
	return response, err
}

func (c *controllers) find(ctx context.Context) error {
	rq := kmsg.NewPtrDescribeClusterRequest()
	rq.EndpointType = endpointControllers
	var last error
	for _, seed := range c.admin.client.SeedBrokers() {
		response, err := seed.Request(ctx, rq)
		if err == nil {
			err = c.take(response.(*kmsg.DescribeClusterResponse))
		}
		if err == nil {
			return nil
		}
		last = err
	}
	return last
}

// take connects to the active controller that one of them has named.
func (c *controllers) take(described *kmsg.DescribeClusterResponse) error {
	if err := responseError(described.ErrorCode, described.ErrorMessage); err != nil {
		return err
	}
	for _, b := range described.Brokers {
		if b.NodeID == described.ControllerID {
			client, err := c.connect(fmt.Sprintf("%s:%d", b.Host, b.Port))
			c.active = client
			return err
		}
	}
	return fmt.Errorf("no controller is active")
}

func (c *controllers) close() {
	if c.active != nil {
		c.active.Close()
		c.active = nil
	}
}
