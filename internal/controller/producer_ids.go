package controller

import (
	"math"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// producerIDBlock is the number of producer ids that a broker gets at a time (ProducerIdsBlock).
const producerIDBlock = 1000

// AllocateProducerIDs gives a broker the next block of producer ids (KIP-730). No id is given out twice.
func (c *Controller) AllocateProducerIDs(now time.Time, rq *wire.AllocateProducerIdsRequest, reply Reply[*wire.AllocateProducerIdsResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	response := new(wire.AllocateProducerIdsResponse)
	if err := c.checkBrokerEpoch(rq.BrokerID, rq.BrokerEpoch); err != nil {
		response.ErrorCode = code(err)
		return decided(nil, response, reply)
	}
	start := c.Image().ProducerIDs().Next
	if start > math.MaxInt64-producerIDBlock {
		response.ErrorCode = int16(kafka.UnknownServerError)
		return decided(nil, response, reply)
	}
	response.ProducerIDStart, response.ProducerIDLen = start, producerIDBlock
	return decided([]wire.Message{&wire.ProducerIdsRecord{
		BrokerID: rq.BrokerID, BrokerEpoch: rq.BrokerEpoch, NextProducerID: start + producerIDBlock,
	}}, response, reply)
}
