package broker

import (
	"sync"
	"time"

	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/partition"
	"github.com/ottla/ottla/internal/wire"
)

// proposals asks the controller for changes of in-sync sets (AlterPartition, KIP-497), on a goroutine of its own: what
// comes while a request is under way shares the next one, as in Kafka's AlterPartitionManager. It asks until it is answered.
type proposals struct {
	mu struct {
		sync.Mutex
		pending map[replica]proposal
	}
	wake chan struct{} // holds one
}

type proposal struct {
	partition.Proposal
	done func(partition.Verdict)
}

func newProposals() *proposals {
	p := &proposals{wake: make(chan struct{}, 1)}
	p.mu.pending = map[replica]proposal{}
	return p
}

// add takes a proposal, in the place of an earlier one about the same partition, which was about an earlier state.
func (p *proposals) add(x partition.Proposal, done func(partition.Verdict)) {
	p.mu.Lock()
	p.mu.pending[replica{x.TopicID, x.Name.Partition}] = proposal{x, done}
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// take returns what is to be asked next.
func (p *proposals) take() map[replica]proposal {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.mu.pending
	p.mu.pending = map[replica]proposal{}
	return taken
}

// putBack keeps proposals for the next request, unless there are newer ones.
func (p *proposals) putBack(all map[replica]proposal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, x := range all {
		if _, newer := p.mu.pending[key]; !newer {
			p.mu.pending[key] = x
		}
	}
}

// The pauses before the controller is asked again: there is a new one soon.
const (
	firstProposalPause = 10 * time.Millisecond
	maxProposalPause   = time.Second
)

// sendProposals sends what is added until the broker stops.
func (b *Broker) sendProposals() {
	pause := firstProposalPause
	for {
		all := b.proposals.take()
		if len(all) == 0 {
			select {
			case <-b.ctx.Done():
				return
			case <-b.proposals.wake:
			}
			continue
		}
		err := b.sendProposal(all)
		if err == nil {
			pause = firstProposalPause
			continue
		}
		b.proposals.putBack(all)
		b.log.Info("the controller has not decided on in-sync sets; it is asked again", "partitions", len(all), "error", err)
		select {
		case <-b.ctx.Done():
			return
		case <-time.After(pause):
			pause = min(2*pause, maxProposalPause)
		}
	}
}

// sendProposal sends one request and passes its answers on. The error is why there are none.
func (b *Broker) sendProposal(all map[replica]proposal) error {
	response, err := ask(b, (*controller.Controller).AlterPartition, alterPartitionRequest(b.node, b.epoch.Load(), all))
	if err == nil {
		err = refusal("AlterPartition", response.ErrorCode)
	}
	if err != nil {
		return err
	}
	for i := range response.Topics {
		topic := &response.Topics[i]
		for _, p := range topic.Partitions {
			key := replica{topic.TopicID, p.PartitionIndex}
			x, asked := all[key]
			if !asked || kafka.ErrorCode(p.ErrorCode) == kafka.NotController {
				continue // of a controller that is behind this broker: a newer one is there
			}
			delete(all, key)
			x.done(partition.Verdict{LeaderEpoch: p.LeaderEpoch, PartitionEpoch: p.PartitionEpoch, ISR: p.Isr, Code: kafka.ErrorCode(p.ErrorCode)})
		}
	}
	if len(all) > 0 {
		return kafka.NotController
	}
	return nil
}

func alterPartitionRequest(node int32, epoch int64, all map[replica]proposal) *wire.AlterPartitionRequest {
	rq := &wire.AlterPartitionRequest{BrokerID: node, BrokerEpoch: epoch}
	at := map[kafka.UUID]int{}
	for key, x := range all {
		i, known := at[key.topicID]
		if !known {
			i = len(rq.Topics)
			at[key.topicID] = i
			rq.Topics = append(rq.Topics, wire.AlterPartitionRequestTopicData{TopicID: key.topicID})
		}
		p := wire.AlterPartitionRequestPartitionData{PartitionIndex: key.partition, LeaderEpoch: x.LeaderEpoch, PartitionEpoch: x.PartitionEpoch}
		for _, member := range x.ISR {
			p.NewIsrWithEpochs = append(p.NewIsrWithEpochs, wire.AlterPartitionRequestBrokerState{BrokerID: member.Broker, BrokerEpoch: member.Epoch})
		}
		rq.Topics[i].Partitions = append(rq.Topics[i].Partitions, p)
	}
	return rq
}
