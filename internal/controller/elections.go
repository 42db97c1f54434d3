package controller

import (
	"iter"
	"slices"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// maxElections is the most leaders that one periodic round moves (MAX_ELECTIONS_PER_IMBALANCE).
const maxElections = 1000

// moreElections is the pause after a round that moved as many leaders as it may: the next follows soon and not after
// the whole interval, or a broker's 12,000 leaders would take an hour to come back. Kafka waits for 10 ms
// (PeriodicTask); this is longer so that a log that takes no records is not tried in a tight loop.
const moreElections = fencingRetry

// place of a partition in the image.
type located struct {
	topic *metadata.Topic
	id    int32
	*metadata.Partition
}

// partitionsWhere yields the partitions that a condition holds for, in the order of names and numbers.
func (c *Controller) partitionsWhere(holds func(*metadata.Partition) bool) iter.Seq[located] {
	return func(yield func(located) bool) {
		for t := range c.Image().Topics() {
			for i, p := range t.Partitions {
				if holds(p) && !yield(located{t, int32(i), p}) {
					return
				}
			}
		}
	}
}

// upheaval is what happens to a broker that partitions must follow. Each field is a broker or NoLeader.
type upheaval struct {
	remove   int32 // leaves ISRs and leads nothing from now on
	add      int32 // may lead although the image still says that it is fenced
	lostData int32 // shut down uncleanly: leaves ISRs and ELRs
}

func broken() upheaval {
	return upheaval{metadata.NoLeader, metadata.NoLeader, metadata.NoLeader}
}

// follow makes the given partitions follow an upheaval: new ISRs, and leaders where they are missing
// (ReplicationControlManager.generateLeaderAndIsrUpdates).
func (c *Controller) follow(u upheaval, partitions iter.Seq[located]) []wire.Message {
	alive := func(id int32) bool {
		return id != u.remove && id != u.lostData && (id == u.add || c.isActive(id))
	}
	var records []wire.Message
	for p := range partitions {
		b := c.change(p.topic, p.id, p.Partition)
		b.acceptLeaders(c, alive)
		if c.uncleanAllowed(p.topic.Name) {
			b.election = electUnclean
		}
		b.lostData = u.lostData
		b.isr = without(p.ISR, u.remove, u.lostData)
		if r := b.record(); r != nil {
			records = append(records, r)
		}
	}
	return records
}

func leaderless(p *metadata.Partition) bool { return p.Leader == metadata.NoLeader }

// moveLeaders is the periodic work on leaders: back to the preferred replica, and unclean elections for topics
// that allow them.
func (c *Controller) moveLeaders(now time.Time) statemachine.Output {
	var records []wire.Message
	if due(c.nextBalance, now) {
		records = c.preferredElections()
		c.nextBalance = after(now, untilNext(records, c.balanceEvery))
	}
	if len(records) == 0 && due(c.nextUnclean, now) {
		records = c.uncleanElections()
		c.nextUnclean = after(now, untilNext(records, c.uncleanEvery))
	}
	return unasked(records)
}

// untilNext is the time from a round that made these records to the next.
func untilNext(records []wire.Message, interval time.Duration) time.Duration {
	if len(records) < maxElections {
		return interval
	}
	return min(interval, moreElections)
}

func due(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

func (c *Controller) preferredElections() []wire.Message {
	imbalanced := func(p *metadata.Partition) bool { return p.Leader != p.PreferredLeader() }
	return c.electEach(imbalanced, electPreferred)
}

func (c *Controller) uncleanElections() []wire.Message {
	return c.electEach(leaderless, electUnclean)
}

func (c *Controller) electEach(which func(*metadata.Partition) bool, how election) []wire.Message {
	var records []wire.Message
	for p := range c.partitionsWhere(which) {
		if how == electUnclean && !c.uncleanAllowed(p.topic.Name) {
			continue
		}
		b := c.change(p.topic, p.id, p.Partition)
		b.election = how
		if r := b.record(); r != nil {
			records = append(records, r)
		}
		if len(records) == maxElections {
			break
		}
	}
	return records
}

// Election types of an ElectLeaders request.
const (
	preferredElection = 0
	uncleanElection   = 1
)

// ElectLeaders holds elections on request (KIP-183, KIP-460). Without a list of partitions it does so for all,
// and answers for those where there was something to do.
func (c *Controller) ElectLeaders(now time.Time, rq *wire.ElectLeadersRequest, reply Reply[*wire.ElectLeadersResponse]) statemachine.Output {
	if err := c.ready(); err != nil {
		return refused(err, reply)
	}
	response := new(wire.ElectLeadersResponse)
	if rq.ElectionType != preferredElection && rq.ElectionType != uncleanElection {
		return decided(nil, FailedElections(rq, kafka.Errorf(kafka.InvalidRequest, "Unknown election type %d", rq.ElectionType)), reply)
	}
	var records []wire.Message
	hold := func(result *wire.ElectLeadersResponseReplicaElectionResult, id int32, quiet bool) {
		record, err := c.electLeader(result.Topic, id, rq.ElectionType)
		if record != nil {
			records = append(records, record)
		}
		if !quiet || kafka.CodeOf(err) != kafka.ElectionNotNeeded {
			result.PartitionResult = append(result.PartitionResult, wire.ElectLeadersResponsePartitionResult{
				PartitionID: id, ErrorCode: code(err), ErrorMessage: text(err),
			})
		}
	}
	if rq.TopicPartitions == nil {
		for t := range c.Image().Topics() {
			result := wire.ElectLeadersResponseReplicaElectionResult{Topic: t.Name}
			for i := range t.Partitions {
				hold(&result, int32(i), true)
			}
			response.ReplicaElectionResults = append(response.ReplicaElectionResults, result)
		}
	}
	for _, t := range rq.TopicPartitions {
		result := wire.ElectLeadersResponseReplicaElectionResult{Topic: t.Topic}
		for _, id := range t.Partitions {
			hold(&result, id, false)
		}
		response.ReplicaElectionResults = append(response.ReplicaElectionResults, result)
	}
	if len(records) > maxRecords {
		return decided(nil, FailedElections(rq, errTooMany), reply)
	}
	return decided(records, response, reply)
}

// FailedElections answers a request that fails as a whole, as Kafka does: in the response and for each partition.
func FailedElections(rq *wire.ElectLeadersRequest, err error) *wire.ElectLeadersResponse {
	response := &wire.ElectLeadersResponse{ErrorCode: code(err)}
	for _, t := range rq.TopicPartitions {
		result := wire.ElectLeadersResponseReplicaElectionResult{Topic: t.Topic}
		for _, id := range t.Partitions {
			result.PartitionResult = append(result.PartitionResult, wire.ElectLeadersResponsePartitionResult{
				PartitionID: id, ErrorCode: code(err), ErrorMessage: text(err),
			})
		}
		response.ReplicaElectionResults = append(response.ReplicaElectionResults, result)
	}
	return response
}

func (c *Controller) electLeader(topic string, id int32, kind int8) (wire.Message, error) {
	t := c.Image().Topic(topic)
	if t == nil {
		return nil, kafka.Errorf(kafka.UnknownTopicOrPartition, "No such topic as %s", topic)
	}
	p := t.Partition(id)
	if p == nil {
		return nil, kafka.Errorf(kafka.UnknownTopicOrPartition, "No such partition as %s-%d", topic, id)
	}
	b := c.change(t, id, p)
	b.election = electPreferred
	if kind == uncleanElection {
		b.election = electUnclean
	}
	if kind == preferredElection && p.Leader == p.PreferredLeader() || kind == uncleanElection && !leaderless(p) {
		return nil, &kafka.Error{Code: kafka.ElectionNotNeeded, Message: "Leader election not needed for topic partition."}
	}
	if r := b.record(); r != nil {
		return r, nil
	}
	if kind == preferredElection {
		return nil, &kafka.Error{Code: kafka.PreferredLeaderNotAvailable, Message: "The preferred leader was not available."}
	}
	return nil, &kafka.Error{Code: kafka.EligibleLeadersNotAvailable, Message: "Eligible topic partition leaders are not available."}
}

// leads reports whether the broker leads any partition.
func (c *Controller) leads(broker int32) bool {
	for t := range c.Image().Topics() {
		if slices.ContainsFunc(t.Partitions, func(p *metadata.Partition) bool { return p.Leader == broker }) {
			return true
		}
	}
	return false
}
