package api

import (
	"sync"

	"github.com/ottla/ottla/internal/wire"
)

// row is one API that this broker serves.
type row struct {
	wire.API
	// handle decodes the body and calls the API's function. An error closes the connection; the function was not
	// called then. Bytes behind the message are let be, as Kafka does: librdkafka sends some when it asks for all topics.
	handle   func(a *API, c Call, r *wire.Reader) error
	requests *requestMetrics
}

// table lists what is served, by key. ApiVersions is made from it.
func table() []row {
	return []row{
		pooled((*API).produce),
		pooled((*API).fetch),
		on((*API).listOffsets),
		on((*API).metadata),
		on((*API).offsetCommit),
		on((*API).offsetFetch),
		on((*API).findCoordinator),
		on((*API).joinGroup),
		on((*API).heartbeat),
		on((*API).leaveGroup),
		on((*API).syncGroup),
		on((*API).describeGroups),
		on((*API).listGroups),
		on((*API).apiVersions),
		on((*API).createTopics),
		on((*API).deleteTopics),
		on((*API).deleteRecords),
		on((*API).initProducerID),
		on((*API).offsetForLeaderEpoch),
		on((*API).addPartitionsToTxn),
		on((*API).addOffsetsToTxn),
		on((*API).endTxn),
		on((*API).writeTxnMarkers),
		on((*API).txnOffsetCommit),
		on((*API).describeConfigs),
		on((*API).alterConfigs),
		on((*API).alterReplicaLogDirs),
		on((*API).describeLogDirs),
		on((*API).createPartitions),
		on((*API).deleteGroups),
		on((*API).electLeaders),
		on((*API).incrementalAlterConfigs),
		on((*API).alterPartitionReassignments),
		on((*API).listPartitionReassignments),
		on((*API).offsetDelete),
		on((*API).updateFeatures),
		on((*API).describeQuorum),
		on((*API).describeCluster),
		on((*API).describeProducers),
		on((*API).consumerGroupHeartbeat),
		on((*API).consumerGroupDescribe),
		on((*API).unregisterBroker),
		on((*API).describeTransactions),
		on((*API).listTransactions),
		on((*API).addRaftVoter),
		on((*API).removeRaftVoter),
		on((*API).streamsGroupHeartbeat),
		on((*API).streamsGroupDescribe),
		on((*API).listConfigResources),
		on((*API).describeTopicPartitions),
		on((*API).why),
	}
}

// message is a pointer to a request struct.
type message[T any] interface {
	*T
	wire.Message
}

// on makes the row of an API whose function keeps the request as long as it likes.
func on[T any, M message[T]](f func(*API, Call, M)) row {
	return row{API: apiOf[T, M](), handle: func(a *API, c Call, r *wire.Reader) error {
		request := M(new(T))
		if err := request.Decode(r, c.version); err != nil {
			return err
		}
		f(a, c, request)
		return nil
	}}
}

// pooled makes the row of an API on the hot path: the request struct is used again as soon as the function returns, so
// the function keeps nothing of it.
func pooled[T any, M message[T]](f func(*API, Call, M)) row {
	pool := sync.Pool{New: func() any { return M(new(T)) }}
	return row{API: apiOf[T, M](), handle: func(a *API, c Call, r *wire.Reader) error {
		request := pool.Get().(M)
		defer pool.Put(request)
		if err := request.Decode(r, c.version); err != nil {
			return err
		}
		f(a, c, request)
		return nil
	}}
}

func apiOf[T any, M message[T]]() wire.API {
	api, ok := wire.FindAPI(M(new(T)).Key())
	if !ok {
		panic("BUG: a request type whose API is not in wire.APIs")
	}
	return api
}
