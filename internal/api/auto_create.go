package api

import (
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// autoCreate creates topics because a client asked about them: with num.partitions and default.replication.factor, or,
// for internal topics, their own settings. done is called once this broker knows of them, with the reasons of those that
// could not be created; that somebody else was faster is no reason.
func (a *API) autoCreate(names []string, done func(failed map[string]error)) {
	rq := new(wire.CreateTopicsRequest)
	rq.Reset()
	for _, name := range names {
		rq.Topics = append(rq.Topics, a.newTopic(name))
	}
	askController(a, ownRequest(), (*controller.Controller).CreateTopics, rq, func(response *wire.CreateTopicsResponse, err error) {
		failed := map[string]error{}
		if err != nil {
			for _, name := range names {
				failed[name] = kafka.UnknownTopicOrPartition // the client asks again
			}
			done(failed)
			return
		}
		for _, t := range response.Topics {
			if code := kafka.ErrorCode(t.ErrorCode); code != kafka.None && code != kafka.TopicAlreadyExists {
				failed[t.Name] = code
			}
		}
		done(failed)
	})
}

// newTopic is what auto-creation asks for.
func (a *API) newTopic(name string) wire.CreateTopicsRequestCreatableTopic {
	if topic, internal := controller.InternalTopic(name, a.Config()); internal {
		return topic
	}
	return wire.CreateTopicsRequestCreatableTopic{Name: name, NumPartitions: -1, ReplicationFactor: -1}
}
