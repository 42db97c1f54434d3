package api

import "github.com/ottla/ottla/internal/server"

// resource kinds of which a client may ask what it may do with them.
type resource int8

const (
	topicResource resource = iota
	groupResource
	clusterResource
)

// ACL operation codes (org.apache.kafka.common.acl.AclOperation).
const (
	opRead            = 3
	opWrite           = 4
	opCreate          = 5
	opDelete          = 6
	opAlter           = 7
	opDescribe        = 8
	opClusterAction   = 9
	opDescribeConfigs = 10
	opAlterConfigs    = 11
	opIdempotentWrite = 12
)

// supportedOperations are the operations that make sense on a kind of resource, as bits by operation code
// (org.apache.kafka.security.authorizer.AclEntry).
var supportedOperations = map[resource]int32{
	topicResource:   1<<opRead | 1<<opWrite | 1<<opCreate | 1<<opDescribe | 1<<opDelete | 1<<opAlter | 1<<opDescribeConfigs | 1<<opAlterConfigs,
	groupResource:   1<<opRead | 1<<opDescribe | 1<<opDelete | 1<<opDescribeConfigs | 1<<opAlterConfigs,
	clusterResource: 1<<opCreate | 1<<opClusterAction | 1<<opDescribeConfigs | 1<<opAlterConfigs | 1<<opIdempotentWrite | 1<<opAlter | 1<<opDescribe,
}

// operationsNotAsked is the bitfield of a response to a client that did not ask for its authorized operations.
const operationsNotAsked int32 = -2147483648

// authorizedOperations says what a session may do with a resource. Without an authorizer, which this broker does not
// have yet, everybody may do everything, as in Kafka.
func (a *API) authorizedOperations(_ *server.Session, kind resource) int32 {
	return supportedOperations[kind]
}
