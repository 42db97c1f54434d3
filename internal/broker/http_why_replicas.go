package broker

import (
	"fmt"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/metadata"
)

// partitionReport is a partition that has no leader, or one that does not answer, or of which a replica is not in sync.
type partitionReport struct {
	Partition int32           `json:"partition"`
	Leader    int32           `json:"leader"` // -1: none
	Silent    bool            `json:"silent"` // the leader does not answer
	Replicas  []int32         `json:"replicas"`
	ISR       []int32         `json:"isr"`
	ELR       []int32         `json:"elr"`
	Missing   []missingReport `json:"missing"`
}

// missingReport is a replica that is not in sync.
type missingReport struct {
	Broker int32 `json:"broker"`
	// Lag is how many records it lacks, -1 if nobody knows. Since is when it last had all, zero if that was before the leader's time.
	Lag     int64           `json:"lag"`
	Since   time.Time       `json:"since,omitzero"`
	Reasons []missingReason `json:"reasons"`
}

// explainReplicas says of every partition that is not well what is known of the replicas that are missing.
func explainReplicas(image *metadata.Image, topic *metadata.Topic, reports map[int32]replicasReport) []partitionReport {
	all := []partitionReport{}
	for id, p := range topic.Partitions {
		report := partitionReport{Partition: int32(id), Leader: p.Leader, Replicas: p.Replicas, ISR: p.ISR, ELR: p.ELR}
		for _, broker := range p.Replicas {
			if !p.InSync(broker) {
				report.Missing = append(report.Missing, explainReplica(image, reports, p, int32(id), broker))
			}
		}
		if p.Leader != metadata.NoLeader {
			_, answered := reports[p.Leader]
			report.Silent = !answered
		}
		if p.Leader == metadata.NoLeader || report.Silent || len(report.Missing) > 0 {
			all = append(all, report)
		}
	}
	return all
}

func explainReplica(image *metadata.Image, reports map[int32]replicasReport, p *metadata.Partition, id, broker int32) missingReport {
	m := missingReport{Broker: broker, Lag: -1}
	because := func(kind, text string) { m.Reasons = append(m.Reasons, missingReason{kind, text}) }
	own, answered := reports[broker]
	switch b := image.Broker(broker); {
	case b == nil:
		because("unregistered", "the broker is not registered")
	case b.Fenced:
		because("fenced", "the broker is fenced: it does not run, or does not reach the active controller")
	case b.InControlledShutdown:
		because("leaving", "the broker is shutting down")
	case !answered:
		because("silent", fmt.Sprintf("the broker is not fenced, but does not answer within %v", whyAnswerLimit))
	}
	away := len(m.Reasons) > 0
	if slices.Contains(p.Adding, broker) {
		because("reassigned", "a reassignment adds this replica: it copies the partition")
	}
	for _, x := range own.Has {
		if x.Partition == id {
			m.Reasons = append(m.Reasons, x.missingReason)
		}
	}
	for _, x := range reports[p.Leader].Leads {
		if x.Partition != id || x.Broker != broker {
			continue
		}
		m.Lag, m.Since = x.Lag, x.CaughtUp
		if x.Throttled && !away {
			because("throttled", "its leader holds it to leader.replication.throttled.rate")
		}
	}
	if len(m.Reasons) == 0 {
		because("behind", "it fetches without errors, and has not caught up yet")
	}
	return m
}
