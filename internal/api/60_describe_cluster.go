package api

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// Endpoint types of DescribeCluster (KIP-919).
const (
	brokerEndpoints     = 1
	controllerEndpoints = 2
)

// describeCluster answers DescribeCluster 0-2: the cluster's id and its brokers as clients of the request's listener
// reach them. Version 1 asks for brokers or controllers; controllers do not answer on this listener. Version 2 can list
// fenced brokers.
func (a *API) describeCluster(c Call, rq *wire.DescribeClusterRequest) {
	image := a.Metadata.Current()
	response := new(wire.DescribeClusterResponse)
	response.Reset()
	switch rq.EndpointType {
	case brokerEndpoints:
	case controllerEndpoints:
		a.refuseDescribeCluster(c, kafka.Errorf(kafka.MismatchedEndpointType, "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER"))
		return
	default:
		a.refuseDescribeCluster(c, kafka.Errorf(kafka.UnsupportedEndpointType, "Unsupported endpoint type %d", rq.EndpointType))
		return
	}
	response.ClusterID = image.ClusterID()
	for b := range image.Brokers() {
		endpoint, ok := b.Endpoint(c.Session().ListenerName)
		if !ok || (b.Fenced && !rq.IncludeFencedBrokers) {
			continue
		}
		response.Brokers = append(response.Brokers, wire.DescribeClusterResponseDescribeClusterBroker{
			BrokerID: b.ID, Host: endpoint.Host, Port: int32(endpoint.Port), Rack: b.Rack, IsFenced: b.Fenced && c.version >= 2,
		})
		if !b.Fenced && (response.ControllerID < 0 || b.ID == a.Node) {
			response.ControllerID = b.ID
		}
	}
	if rq.IncludeClusterAuthorizedOperations {
		response.ClusterAuthorizedOperations = a.authorizedOperations(c.Session(), clusterResource)
	}
	c.Reply(response)
}

// refuseDescribeCluster answers err. Version 0 is older than the errors of endpoint types: its clients are told INVALID_REQUEST
// (Kafka's AuthHelper.computeDescribeClusterResponse).
func (a *API) refuseDescribeCluster(c Call, err error) {
	response := new(wire.DescribeClusterResponse)
	response.Reset()
	response.ErrorCode, response.ErrorMessage = codeOf(err), kafka.MessageOf(err)
	if c.version == 0 {
		response.ErrorCode = int16(kafka.InvalidRequest)
	}
	c.Reply(response)
}

// describeControllers answers DescribeCluster on a listener of controllers (KIP-919): the controllers. The active one is
// named only if it is among those listed: its id alone would lead a client nowhere.
func (a *API) describeControllers(c Call, rq *wire.DescribeClusterRequest) {
	switch {
	case rq.EndpointType == brokerEndpoints:
		a.refuseDescribeCluster(c, kafka.Errorf(kafka.MismatchedEndpointType, "The request was sent to an endpoint of type CONTROLLER, but we wanted an endpoint of type BROKER"))
		return
	case rq.EndpointType != controllerEndpoints:
		a.refuseDescribeCluster(c, kafka.Errorf(kafka.UnsupportedEndpointType, "Unsupported endpoint type %d", rq.EndpointType))
		return
	}
	response := new(wire.DescribeClusterResponse)
	response.Reset()
	response.EndpointType, response.ClusterID = controllerEndpoints, a.Metadata.Current().ClusterID()
	all, active := a.Controllers()
	for _, e := range all {
		if e.Node == active {
			response.ControllerID = active
		}
		response.Brokers = append(response.Brokers, wire.DescribeClusterResponseDescribeClusterBroker{BrokerID: e.Node, Host: e.Host, Port: e.Port})
	}
	if rq.IncludeClusterAuthorizedOperations {
		response.ClusterAuthorizedOperations = a.authorizedOperations(c.Session(), clusterResource)
	}
	c.Reply(response)
}
