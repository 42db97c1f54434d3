package broker

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/api"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// replicasReport is what one broker knows of the replicas of a topic (api.WhyReplicas).
type replicasReport struct {
	Node int32 `json:"node"`
	// Leads has the other replicas of the partitions led there, Has the broker's own replicas that something is wrong with.
	Leads []ledReplica `json:"leads"`
	Has   []ownReplica `json:"has"`
}

type ledReplica struct {
	Partition int32     `json:"partition"`
	Broker    int32     `json:"broker"`
	Lag       int64     `json:"lag"`
	CaughtUp  time.Time `json:"caughtUp"`
	Throttled bool      `json:"throttled"`
}

type ownReplica struct {
	Partition int32 `json:"partition"`
	missingReason
}

// missingReason is why a replica is not in sync. Kind: fenced, leaving, unregistered, silent (the broker does not answer), reassigned (a
// reassignment adds it), offline (its log), full (its volume), failing (its fetches), throttled, behind.
type missingReason struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// replicasHere is api.Env.Replicas.
func (b *Broker) replicasHere(name string) any {
	r := replicasReport{Node: b.node}
	topic := b.store.Current().Topic(name)
	if topic == nil {
		return r
	}
	for id, state := range topic.Partitions {
		if !state.IsReplica(b.node) {
			continue
		}
		id := int32(id)
		p, err := b.partitions.Get(name, id)
		switch {
		case err != nil:
			text := err.Error()
			if message := kafka.MessageOf(err); message != nil {
				text = *message // without the code
			}
			r.Has = append(r.Has, ownReplica{id, missingReason{"offline", text}})
		case p.State().Leader == b.node:
			for _, f := range p.Others() {
				r.Leads = append(r.Leads, ledReplica{id, f.Broker, f.Lag, f.CaughtUp, f.Throttled})
			}
		default:
			if short := p.Dir().Shortage(); short != nil {
				r.Has = append(r.Has, ownReplica{id, missingReason{"full", short.Error()}})
			}
			if t := b.followers.Trouble(p); t.Failures > 0 {
				r.Has = append(r.Has, ownReplica{id, missingReason{"failing", fmt.Sprintf("its last %d fetches failed: %v", t.Failures, t.Err)}})
			} else if t.Throttled {
				r.Has = append(r.Has, ownReplica{id, missingReason{"throttled", "it is held to follower.replication.throttled.rate"}})
			}
		}
	}
	return r
}

// whyAnswerLimit is how long the brokers that host a topic are waited for: one that is silent is an answer, too.
const whyAnswerLimit = 3 * time.Second

// whyTopic is GET /api/v1/topics/{topic}/why: which replicas of a topic are not in sync, since when, and why. All brokers that host the
// topic and are not fenced are asked. 404: there is no such topic.
func (b *Broker) whyTopic(w http.ResponseWriter, r *http.Request) {
	name, image := r.PathValue("topic"), b.store.Current()
	topic := image.Topic(name)
	if topic == nil {
		refuseHTTP(w, kafka.Errorf(kafka.UnknownTopicOrPartition, "there is no topic %s", name))
		return
	}
	active, _ := b.active.get()
	answerJSON(w, http.StatusOK, struct {
		ClusterID string `json:"clusterId"`
		Node      int32  `json:"node"`
		// Controller is the active one, -1 if this node knows none: then nobody notices what becomes of brokers.
		Controller int32             `json:"controller"`
		Partitions []partitionReport `json:"partitions"`
	}{b.ClusterID(), b.node, active, explainReplicas(image, topic, b.askReplicas(r, image, topic))})
}

// askReplicas returns the reports of those that answer.
func (b *Broker) askReplicas(r *http.Request, image *metadata.Image, topic *metadata.Topic) map[int32]replicasReport {
	var hosts []int32
	for _, p := range topic.Partitions {
		for _, id := range p.Replicas {
			if broker := image.Broker(id); broker != nil && !broker.Fenced && !slices.Contains(hosts, id) {
				hosts = append(hosts, id)
			}
		}
	}
	answers := make(chan replicasReport, len(hosts))
	for _, id := range hosts {
		b.api.WhyAt(id, api.WhyReplicas, topic.Name, func(text []byte, err error) {
			report := replicasReport{Node: -1}
			if err == nil && json.Unmarshal(text, &report) != nil {
				report.Node = -1
			}
			answers <- report
		})
	}
	reports := make(map[int32]replicasReport)
	limit := time.After(whyAnswerLimit)
	for range hosts {
		select {
		case <-r.Context().Done():
			return reports
		case <-limit:
			return reports
		case report := <-answers:
			reports[report.Node] = report
		}
	}
	return reports
}
