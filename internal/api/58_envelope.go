package api

import (
	"encoding/binary"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// Tags of our own in an EnvelopeResponse, which other nodes of Kafka's kind pass over.
const (
	// tagSettled is the metadata offset that has the decision and its effects, 8 bytes: the broker answers its client
	// once its own image has it.
	tagSettled = 10_000
	// tagReason is the text of an error that concerns the request as a whole.
	tagReason = 10_001
)

// decision is how an API that brokers forward is decided: read, decided by the controller here, answered.
type decision struct {
	key int16
	run func(a *API, r *wire.Reader, version int16, done func(wire.Message, error)) error
}

// decides makes the decision of one API.
func decides[Q, R any, PQ message[Q], PR message[R]](decide func(*API) decider[PQ, PR]) decision {
	return decision{key: PQ(new(Q)).Key(), run: func(a *API, r *wire.Reader, version int16, done func(wire.Message, error)) error {
		request := PQ(new(Q))
		if err := request.Decode(r, version); err != nil {
			return err
		}
		decideHere(a, decide(a), request, func(response PR, err error) { done(response, err) })
		return nil
	}}
}

// decider is a method of the controller that decides one request.
type decider[Q, R any] func(*controller.Controller, time.Time, Q, controller.Reply[R]) statemachine.Output

// always makes what decides needs of a method that needs nothing of the API.
func always[Q, R any](decide decider[Q, R]) func(*API) decider[Q, R] {
	return func(*API) decider[Q, R] { return decide }
}

// decisions are the requests that may come in an Envelope.
func decisions() map[int16]decision {
	all := map[int16]decision{}
	for _, d := range []decision{
		decides(always((*controller.Controller).CreateTopics)),
		decides(always((*controller.Controller).DeleteTopics)),
		decides(always((*controller.Controller).CreatePartitions)),
		decides(always((*controller.Controller).ElectLeaders)),
		decides(always((*controller.Controller).AlterPartitionReassignments)),
		decides(always((*controller.Controller).ListPartitionReassignments)),
		decides(always((*controller.Controller).UpdateFeatures)),
		decides(always((*controller.Controller).UnregisterBroker)),
		changesVoters((*API).addVoterHere),
		changesVoters((*API).removeVoterHere),
		decides(func(a *API) decider[*wire.AlterConfigsRequest, *wire.AlterConfigsResponse] {
			return a.decideAlterConfigs(a.standIn)
		}),
		decides(func(a *API) decider[*wire.IncrementalAlterConfigsRequest, *wire.IncrementalAlterConfigsResponse] {
			return a.decideIncrementalAlterConfigs(a.standIn)
		}),
	} {
		all[d.key] = d
	}
	return all
}

// standIn is how this node's settings stand in for those of the broker that forwarded a request.
func (a *API) standIn() *config.Broker { return a.Config().StandIn() }

// sealed makes the Envelope around a request.
func (o origin) sealed(request wire.Message) (*wire.EnvelopeRequest, int16, error) {
	api, _ := wire.FindAPI(request.Key())
	version := o.version
	if version == newest {
		version = api.Max
	}
	w := new(wire.Writer)
	header := wire.RequestHeader{RequestApiKey: api.Key, RequestApiVersion: version, ClientID: &o.clientID}
	header.Encode(w, wire.RequestHeaderVersion(api.Key, version))
	request.Encode(w, version)
	return &wire.EnvelopeRequest{RequestData: w.Bytes(), RequestPrincipal: principalBytes(o.principal), ClientHostAddress: o.addressBytes()}, version, w.Err()
}

// opened reads the answer to an Envelope into the response, and returns the metadata offset that has its effect.
func opened(sealed *wire.EnvelopeResponse, version int16, response wire.Message) (settled int64, err error) {
	settled = -1
	reason := ""
	for _, tag := range sealed.UnknownTags {
		switch {
		case tag.Tag == tagSettled && len(tag.Data) == 8:
			settled = int64(binary.BigEndian.Uint64(tag.Data))
		case tag.Tag == tagReason:
			reason = string(tag.Data)
		}
	}
	if code := kafka.ErrorCode(sealed.ErrorCode); code != kafka.None {
		return settled, &kafka.Error{Code: code, Message: reason}
	}
	r := wire.NewReader(sealed.ResponseData)
	var header wire.ResponseHeader
	if err := header.Decode(r, wire.ResponseHeaderVersion(response.Key(), version)); err != nil {
		return settled, err
	}
	return settled, response.Decode(r, version)
}

// envelope answers Envelope 0 (KIP-590): a broker forwards a client's request to the active controller.
func (a *API) envelope(c Call, rq *wire.EnvelopeRequest) {
	refuse := func(err error) {
		c.Reply(&wire.EnvelopeResponse{ErrorCode: codeOf(err), UnknownTags: reasonTag(err)})
	}
	if _, err := readPrincipal(rq.RequestPrincipal); err != nil {
		refuse(err)
		return
	}
	if n := len(rq.ClientHostAddress); n != 4 && n != 16 {
		refuse(kafka.Errorf(kafka.InvalidRequest, "Failed to parse client address: it has %d bytes", n))
		return
	}
	key, version, _, err := wire.PeekRequest(rq.RequestData)
	decision, forwardable := a.decisions[key]
	if err != nil || !forwardable {
		refuse(kafka.Errorf(kafka.InvalidRequest, "API key %d cannot be forwarded in an Envelope", key))
		return
	}
	var header wire.RequestHeader
	r := wire.NewReader(rq.RequestData)
	if err = header.Decode(r, wire.RequestHeaderVersion(key, version)); err == nil {
		err = decision.run(a, r, version, func(response wire.Message, err error) {
			if err != nil {
				refuse(err)
				return
			}
			a.answerEnvelope(c, key, version, response)
		})
	}
	if err != nil {
		refuse(kafka.Errorf(kafka.InvalidRequest, "The request in the Envelope cannot be read: %v", err))
	}
}

// answerEnvelope answers once this node has the decision, so its image is at least as far.
func (a *API) answerEnvelope(c Call, key, version int16, response wire.Message) {
	w := new(wire.Writer)
	header := wire.ResponseHeader{}
	header.Encode(w, wire.ResponseHeaderVersion(key, version))
	response.Encode(w, version)
	if err := w.Err(); err != nil {
		c.Reply(&wire.EnvelopeResponse{ErrorCode: int16(kafka.UnknownServerError), UnknownTags: reasonTag(err)})
		return
	}
	offset := binary.BigEndian.AppendUint64(nil, uint64(a.Metadata.Current().Offset()))
	c.Reply(&wire.EnvelopeResponse{ResponseData: w.Bytes(), UnknownTags: []wire.Tag{{Tag: tagSettled, Data: offset}}})
}

func reasonTag(err error) []wire.Tag {
	text := textOf(err)
	if text == nil {
		return nil
	}
	return []wire.Tag{{Tag: tagReason, Data: []byte(*text)}}
}
