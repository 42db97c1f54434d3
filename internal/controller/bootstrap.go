package controller

import (
	"slices"
	"strconv"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

const minInsyncReplicas = "min.insync.replicas"

// clusterDefault holds the dynamic configuration of all brokers.
var clusterDefault = metadata.ConfigResource{Type: metadata.ConfigBroker}

// Activate takes over at the beginning of a leadership, after the log was replayed: brokers that are not fenced
// get a session, an empty log gets the records of a new cluster, and a metadata transaction that the last leader
// left open is aborted. The engine's first Wake calls it; calling it again changes nothing.
func (c *Controller) Activate(now time.Time) statemachine.Output {
	if !c.active {
		c.active = true
		c.nextBalance = after(now, c.balanceEvery)
		c.nextUnclean = after(now, c.uncleanEvery)
		c.beginSessions(now)
	}
	var records []wire.Message
	if c.delta.InTransaction() {
		reason := "Controller failover"
		records = append(records, &wire.AbortTransactionRecord{Reason: &reason})
	}
	if c.Image().Feature(kafka.MetadataVersionFeature) == 0 {
		records = append(records, c.bootstrapRecords()...)
	}
	return unasked(records)
}

// after returns when something is due that happens every so often; the zero time if never.
func after(now time.Time, every time.Duration) time.Time {
	if every <= 0 {
		return time.Time{}
	}
	return now.Add(every)
}

// bootstrapRecords is what the log of a cluster begins with: what it was formatted with, and min.insync.replicas for all
// brokers if eligible leader replicas are on (ActivationRecordsGenerator).
func (c *Controller) bootstrapRecords() []wire.Message {
	records := slices.Clone(c.options.Bootstrap)
	if records == nil {
		records = newestFeatures()
	}
	if slices.ContainsFunc(records, func(m wire.Message) bool {
		f, is := m.(*wire.FeatureLevelRecord)
		return is && f.Name == elrVersion && f.FeatureLevel > 0
	}) {
		records = append(records, c.defaultMinISR())
	}
	return records
}

// newestFeatures are the feature levels of Kafka 4.3, metadata.version first.
func newestFeatures() []wire.Message {
	var records []wire.Message
	for _, f := range Features() {
		level := &wire.FeatureLevelRecord{Name: f.Name, FeatureLevel: f.New}
		switch f.Name {
		case kafka.MetadataVersionFeature:
			records = append([]wire.Message{level}, records...)
		case kafka.KRaftVersionFeature:
		default:
			records = append(records, level)
		}
	}
	return records
}

func (c *Controller) defaultMinISR() *wire.ConfigRecord {
	value := strconv.Itoa(c.options.Config.Int(config.MinInsyncReplicas))
	return &wire.ConfigRecord{ResourceType: int8(metadata.ConfigBroker), Name: minInsyncReplicas, Value: &value}
}
