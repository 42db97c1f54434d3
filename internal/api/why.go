package api

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
	"github.com/ottla/ottla/internal/wire"
)

// WhyKind is what is asked about.
type WhyKind int8

// The kinds of what coordinators remember causes of.
const (
	WhyGroup       WhyKind = iota // how a group is, and why it rebalanced
	WhyTransaction                // how a transactional id is, and why its producers were fenced and its transactions aborted
	WhyReplicas                   // what one broker knows of the replicas of a topic
)

// whyPlace is where a report comes from.
type whyPlace struct {
	ClusterID string `json:"clusterId"`
	Node      int32  `json:"node"`
}

// Why tells, as JSON, what the coordinator of a group or transactional id remembers of it: this broker, or the one that it asks.
// It is not part of Kafka's protocol: the HTTP endpoint asks. answer is called once, on any goroutine.
func (a *API) Why(kind WhyKind, name string, answer func(report []byte, err error)) {
	node, elsewhere := a.whyElsewhere(kind, name)
	if !elsewhere {
		node = a.Node
	}
	a.WhyAt(node, kind, name, answer)
}

// WhyAt asks a broker, of which Why chooses one.
func (a *API) WhyAt(node int32, kind WhyKind, name string, answer func(report []byte, err error)) {
	if node == a.Node || a.Peer == nil {
		a.whyHere(kind, name, answer)
		return
	}
	response := new(wire.WhyResponse)
	a.Peer(node, &wire.WhyRequest{Kind: int8(kind), Name: name}, response, func(err error) {
		if code := kafka.ErrorCode(response.ErrorCode); err == nil && code != kafka.None {
			text := ""
			if response.ErrorMessage != nil {
				text = *response.ErrorMessage
			}
			err = &kafka.Error{Code: code, Message: text}
		}
		answer(slices.Clone(response.Report), err) // the bytes are the connection's
	})
}

// whyElsewhere returns the broker that coordinates what is asked about, if it is another one.
func (a *API) whyElsewhere(kind WhyKind, name string) (node int32, elsewhere bool) {
	topic := kafka.OffsetsTopic
	if kind == WhyTransaction {
		topic = kafka.TransactionsTopic
	}
	return a.coordinatorElsewhere(topic, name)
}

// whyHere is Why for a coordinator on this broker.
func (a *API) whyHere(kind WhyKind, name string, answer func(report []byte, err error)) {
	place := whyPlace{a.Metadata.Current().ClusterID(), a.Node}
	switch kind {
	case WhyGroup:
		a.askNamedGroup(name, func(g *group.Coordinator, now time.Time) statemachine.Output {
			return g.Why(now, name, func(r *group.Report, err error) {
				writeReport(struct {
					whyPlace
					*group.Report
				}{place, r}, err, answer)
			})
		}, func(err error) { answer(nil, err) })
	case WhyTransaction:
		a.askTransaction(name, func(t *txn.Coordinator, now time.Time) statemachine.Output {
			return t.Why(now, name, func(r *txn.Report, err error) {
				writeReport(struct {
					whyPlace
					*txn.Report
				}{place, r}, err, answer)
			})
		}, func(err error) { answer(nil, err) })
	case WhyReplicas:
		if a.Replicas == nil { // a controller has none
			answer(nil, kafka.Errorf(kafka.InvalidRequest, "node %d has no replicas", a.Node))
			return
		}
		writeReport(a.Replicas(name), nil, answer)
	default:
		answer(nil, kafka.Errorf(kafka.InvalidRequest, "nothing of kind %d can be asked about", kind))
	}
}

// writeReport answers with JSON, which is not made on the goroutine of the coordinator: all its other groups would wait.
func writeReport(report any, err error, answer func(report []byte, err error)) {
	if err != nil {
		answer(nil, err)
		return
	}
	go func() { answer(json.MarshalIndent(report, "", "  ")) }()
}
