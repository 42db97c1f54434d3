package controller

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// maxRecords is the most records that one request may write (QuorumController.MAX_RECORDS_PER_USER_OP).
const maxRecords = 10_000

// Reply answers a request: with a response, or with the error of the log that could not take its records. It is
// called exactly once, after the records and everything before them is committed.
type Reply[R any] func(response R, err error)

// decided is the Output of a decision.
func decided[R any](messages []wire.Message, response R, reply Reply[R]) statemachine.Output {
	records, err := encode(messages)
	if err != nil {
		return refused(err, reply)
	}
	return statemachine.Output{Records: records, Then: []func(error){func(err error) {
		if err != nil {
			var none R
			reply(none, err)
			return
		}
		reply(response, nil)
	}}}
}

// unasked is the Output of what the controller does by itself. Records that cannot be encoded are left out; it
// tries again at its next wake-up.
func unasked(messages []wire.Message) statemachine.Output {
	records, err := encode(messages)
	if err != nil {
		return statemachine.Output{}
	}
	return statemachine.Output{Records: records}
}

// refused is the Output of a request that fails as a whole.
func refused[R any](err error, reply Reply[R]) statemachine.Output {
	return statemachine.Output{Then: []func(error){func(failed error) {
		var none R
		if failed != nil {
			err = failed
		}
		reply(none, err)
	}}}
}

// encode fails for a message that has a text longer than the format allows.
func encode(messages []wire.Message) ([]statemachine.Record, error) {
	records := make([]statemachine.Record, len(messages))
	for i, m := range messages {
		value, err := wire.EncodeMetadataRecord(m, metadata.RecordVersion(m))
		if err != nil {
			return nil, kafka.Errorf(kafka.InvalidRequest, "The change cannot be written to the metadata log: %v", err)
		}
		records[i].Value = value
	}
	return records, nil
}

// errInactive refuses whatever comes before the controller has taken over.
var errInactive = &kafka.Error{Code: kafka.NotController, Message: "The controller has not finished taking over; try again."}

// ready returns why no request can be decided yet, or nil.
func (c *Controller) ready() error {
	if !c.active || c.Image().Feature(kafka.MetadataVersionFeature) == 0 {
		return errInactive
	}
	return nil
}

// code and text are the two fields by which a response tells of an error.
func code(err error) int16   { return int16(kafka.CodeOf(err)) }
func text(err error) *string { return kafka.MessageOf(err) }

// errTooMany is Kafka's answer to a request whose records exceed maxRecords.
var errTooMany = &kafka.Error{Code: kafka.PolicyViolation, Message: "Unable to perform excessively large batch operation."}
