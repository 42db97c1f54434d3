package api

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/txn"
	"github.com/ottla/ottla/internal/wire"
)

// writeTxnMarkers answers WriteTxnMarkers 1-2: transactions end in partitions that this broker leads. Coordinators send it,
// and an operator who aborts a hanging transaction (KIP-664). Version 2 says under which transaction.version a marker was
// written (KIP-1228). A partition that is not here, or does not exist, is UNKNOWN_TOPIC_OR_PARTITION.
func (a *API) writeTxnMarkers(c Call, rq *wire.WriteTxnMarkersRequest) {
	response := &wire.WriteTxnMarkersResponse{Markers: []wire.WriteTxnMarkersResponseWritableTxnMarkerResult{}}
	places := make([]markerPlaces, len(rq.Markers))
	for i := range rq.Markers {
		places[i] = a.markerPlaces(&rq.Markers[i])
	}
	all := newGather(len(rq.Markers), func() {
		results := markerResults{}
		for i := range rq.Markers {
			results.add(rq.Markers[i].ProducerID, &places[i])
		}
		response.Markers = results.all
		c.Reply(response)
	})
	for i := range rq.Markers {
		p := &places[i]
		if len(p.marker.Partitions) == 0 {
			all.one()
			continue
		}
		a.writeMarkersHere(p.marker, func(errs []error) {
			for j, err := range errs {
				p.errs[p.at[j]] = err
			}
			all.one()
		})
	}
	all.one()
}

// markerPlaces is a marker of a request with the partitions it goes to.
type markerPlaces struct {
	asked  []kafka.TopicPartition
	errs   []error // of asked
	marker txn.Marker
	at     []int // where in asked the marker's partitions are
}

func (a *API) markerPlaces(m *wire.WriteTxnMarkersRequestWritableTxnMarker) markerPlaces {
	p := markerPlaces{marker: txn.Marker{
		Producer:         statemachine.Producer{ID: m.ProducerID, Epoch: m.ProducerEpoch},
		CoordinatorEpoch: m.CoordinatorEpoch, Commit: m.TransactionResult, Version: int16(m.TransactionVersion),
	}}
	for _, topic := range m.Topics {
		for _, id := range topic.PartitionIndexes {
			tp := kafka.TopicPartition{Topic: topic.Name, Partition: id}
			_, err := a.Partitions.Get(topic.Name, id)
			if err != nil {
				err = kafka.Errorf(kafka.UnknownTopicOrPartition, "%s is not here: %v", tp, err)
			} else {
				p.at = append(p.at, len(p.asked))
				p.marker.Partitions = append(p.marker.Partitions, tp)
			}
			p.asked = append(p.asked, tp)
			p.errs = append(p.errs, err)
		}
	}
	return p
}

// markerResults are the answers to markers, those of one producer id together.
type markerResults struct {
	all []wire.WriteTxnMarkersResponseWritableTxnMarkerResult
}

func (r *markerResults) add(producerID int64, p *markerPlaces) {
	if len(p.asked) == 0 {
		return // Kafka does not tell of a marker that goes nowhere
	}
	result := r.of(producerID)
	for i, tp := range p.asked {
		partition := wire.WriteTxnMarkersResponseWritableTxnMarkerPartitionResult{PartitionIndex: tp.Partition, ErrorCode: codeOf(p.errs[i])}
		if last := len(result.Topics) - 1; last >= 0 && result.Topics[last].Name == tp.Topic {
			result.Topics[last].Partitions = append(result.Topics[last].Partitions, partition)
			continue
		}
		result.Topics = append(result.Topics, wire.WriteTxnMarkersResponseWritableTxnMarkerTopicResult{
			Name: tp.Topic, Partitions: []wire.WriteTxnMarkersResponseWritableTxnMarkerPartitionResult{partition},
		})
	}
}

func (r *markerResults) of(producerID int64) *wire.WriteTxnMarkersResponseWritableTxnMarkerResult {
	for i := range r.all {
		if r.all[i].ProducerID == producerID {
			return &r.all[i]
		}
	}
	r.all = append(r.all, wire.WriteTxnMarkersResponseWritableTxnMarkerResult{
		ProducerID: producerID, Topics: []wire.WriteTxnMarkersResponseWritableTxnMarkerTopicResult{},
	})
	return &r.all[len(r.all)-1]
}
