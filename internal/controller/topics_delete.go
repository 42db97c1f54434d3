package controller

import (
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// DeleteTopics deletes topics by name or id (KIP-516), each with its configurations. Versions below 6 name them
// in TopicNames. Results are in the order of the request, those of doubled names and ids first.
func (c *Controller) DeleteTopics(now time.Time, rq *wire.DeleteTopicsRequest, reply Reply[*wire.DeleteTopicsResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	d := deletion{c: c, response: new(wire.DeleteTopicsResponse), names: map[string]int{}, ids: map[kafka.UUID]int{}}
	if !c.options.Config.Bool(config.DeleteTopicEnable) {
		d.allFailed(rq, kafka.TopicDeletionDisabled)
		return decided(nil, d.response, reply)
	}
	d.collect(rq)
	for _, name := range d.nameOrder {
		d.byName(name)
	}
	for _, id := range d.idOrder {
		d.byID(id)
	}
	if len(d.records) > maxRecords {
		d.response.Responses = nil
		d.allFailed(rq, errTooMany)
		d.records = nil
	}
	return decided(d.records, d.response, reply)
}

// deletion is one DeleteTopics request being decided.
type deletion struct {
	c         *Controller
	response  *wire.DeleteTopicsResponse
	records   []wire.Message
	names     map[string]int // how often each occurs
	ids       map[kafka.UUID]int
	nameOrder []string
	idOrder   []kafka.UUID
}

func (d *deletion) answer(name *string, id kafka.UUID, err error) {
	d.response.Responses = append(d.response.Responses, wire.DeleteTopicsResponseDeletableTopicResult{
		Name: name, TopicID: id, ErrorCode: code(err), ErrorMessage: text(err),
	})
}

func (d *deletion) allFailed(rq *wire.DeleteTopicsRequest, err error) {
	for i := range rq.Topics {
		d.answer(rq.Topics[i].Name, rq.Topics[i].TopicID, err)
	}
	for i := range rq.TopicNames {
		d.answer(&rq.TopicNames[i], kafka.ZeroUUID, err)
	}
}

// collect sorts the request into names and ids, and answers what is neither or both.
func (d *deletion) collect(rq *wire.DeleteTopicsRequest) {
	addName := func(name string) {
		if d.names[name]++; d.names[name] == 1 {
			d.nameOrder = append(d.nameOrder, name)
		}
	}
	for _, name := range rq.TopicNames {
		addName(name)
	}
	for _, t := range rq.Topics {
		switch {
		case t.Name != nil && !t.TopicID.IsZero():
			d.answer(t.Name, t.TopicID, kafka.Errorf(kafka.InvalidRequest, "You may not specify both topic name and topic id."))
		case t.Name != nil:
			addName(*t.Name)
		case t.TopicID.IsZero():
			d.answer(nil, kafka.ZeroUUID, kafka.Errorf(kafka.InvalidRequest, "Neither topic name nor id were specified."))
		default:
			if d.ids[t.TopicID]++; d.ids[t.TopicID] == 1 {
				d.idOrder = append(d.idOrder, t.TopicID)
			}
		}
	}
}

func (d *deletion) byName(name string) {
	t := d.c.Image().Topic(name)
	switch {
	case d.names[name] > 1:
		d.answer(&name, kafka.ZeroUUID, errDuplicateName)
	case t == nil:
		d.answer(&name, kafka.ZeroUUID, errUnknownTopic)
	case d.ids[t.ID] > 0:
		// The id's own answer is this one, too: which of the two was meant is not clear.
		if d.ids[t.ID] == 1 {
			d.ids[t.ID] = -1
		}
		d.answer(&name, t.ID, kafka.Errorf(kafka.InvalidRequest, "The provided topic name maps to an ID that was already supplied."))
	default:
		d.remove(name, t.ID)
	}
}

func (d *deletion) byID(id kafka.UUID) {
	t := d.c.Image().TopicByID(id)
	switch {
	case d.ids[id] < 0:
	case d.ids[id] > 1:
		d.answer(nil, id, kafka.Errorf(kafka.InvalidRequest, "Duplicate topic id."))
	case t == nil:
		d.answer(nil, id, errUnknownTopicID)
	default:
		d.remove(t.Name, id)
	}
}

func (d *deletion) remove(name string, id kafka.UUID) {
	d.records = append(d.records, &wire.RemoveTopicRecord{TopicID: id})
	d.answer(&name, id, nil)
}

var (
	errUnknownTopic   = &kafka.Error{Code: kafka.UnknownTopicOrPartition, Message: "This server does not host this topic-partition."}
	errUnknownTopicID = &kafka.Error{Code: kafka.UnknownTopicID, Message: "This server does not host this topic ID."}
)
