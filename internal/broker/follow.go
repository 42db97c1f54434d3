package broker

import (
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/group"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/statemachine"
)

// followMetadata has everything that depends on the image follow it, in this order: settings, partitions, coordinators.
func (b *Broker) followMetadata() {
	b.store.Subscribe(b.followSettings)
	b.store.Subscribe(b.partitions.Apply)
	b.store.Subscribe(b.followLeaders)
	b.store.Subscribe(b.followCoordinators)
}

// followSettings puts dynamic settings of this broker and of all brokers in force.
func (b *Broker) followSettings(_, next *metadata.Image, changes *metadata.Changes) {
	for _, resource := range changes.Configs {
		if resource.Type != metadata.ConfigBroker {
			continue
		}
		own := next.Config(metadata.ConfigResource{Type: metadata.ConfigBroker, Name: strconv.Itoa(int(b.node))})
		all := next.Config(metadata.ConfigResource{Type: metadata.ConfigBroker})
		c, notices := b.options.Config.WithDynamic(own, all)
		for _, n := range notices {
			b.log.Warn(n.String())
		}
		b.config.Store(c)
		b.configureCleaner()
		b.beat() // directories may be cordoned now
		b.server.SetLimits(limitsOf(c))
		b.setReserves(c)
		return
	}
}

// topicConfig is what partitions ask for a topic's settings.
func (b *Broker) topicConfig(im *metadata.Image, topic string) *config.Topic {
	return b.config.Load().Topic(im.TopicConfig(topic))
}

// coordinators is a statemachine.Host, whatever it hosts.
type coordinators interface {
	Lead(partition, epoch int32, log statemachine.Log)
	Resign(partition int32)
}

// coordinatorsIn is who coordinates with the partitions of an internal topic; nil for other topics.
func (b *Broker) coordinatorsIn(topic string) coordinators {
	switch topic {
	case kafka.OffsetsTopic:
		return b.groups
	case kafka.TransactionsTopic:
		return b.txns
	}
	return nil
}

// followCoordinators has this broker coordinate what is in the partitions of internal topics that it leads. What was
// deleted goes first: a topic that is created anew in the same image begins its leader epochs again.
func (b *Broker) followCoordinators(_, _ *metadata.Image, changes *metadata.Changes) {
	b.forgetTopics(changes.TopicsDeleted)
	for _, change := range changes.Partitions {
		host := b.coordinatorsIn(change.Topic.Name)
		if host == nil {
			continue
		}
		if change.After.Leader != b.node {
			host.Resign(change.ID)
			continue
		}
		p, err := b.partitions.Get(change.Topic.Name, change.ID)
		if err != nil { // its directory is offline: another broker will be elected
			host.Resign(change.ID)
			continue
		}
		log := p.CoordinatorLog(change.After.LeaderEpoch)
		if change.Topic.Name == kafka.TransactionsTopic {
			log.AllAcks()
		}
		host.Lead(change.ID, change.After.LeaderEpoch, log)
	}
}

// forgetTopics removes committed offsets of topics that were deleted.
func (b *Broker) forgetTopics(topics []*metadata.Topic) {
	deleted := map[string]bool{}
	for _, topic := range topics {
		deleted[topic.Name] = true
		if host := b.coordinatorsIn(topic.Name); host != nil {
			for id := range topic.Partitions {
				host.Resign(int32(id))
			}
		}
	}
	if len(deleted) == 0 {
		return
	}
	for partition, engine := range b.groups.All() {
		engine.Do(func(c *group.Coordinator, _ time.Time) statemachine.Output { return c.ForgetTopics(deleted) }, func(err error) {
			b.log.Warn("offsets of deleted topics stay until they expire", "partition", partition, "error", err)
		})
	}
}

// newGroups makes the host of the group coordinators.
func (b *Broker) newGroups() *statemachine.Host[*group.Coordinator] {
	var host *statemachine.Host[*group.Coordinator]
	room := make(chan struct{}, b.config.Load().Int(config.GroupCoordinatorBackgroundThreads))
	machine := func(partition, _ int32) *group.Coordinator {
		return group.New(group.Options{
			Settings: b.groupSettings, Consumer: b.consumerSettings, Streams: b.streamsSettings, Image: b.store.Current, Background: func(f func()) {
				go func() {
					room <- struct{}{}
					defer func() { <-room }()
					f()
				}()
			},
			NewID: func() string { return kafka.NewUUID().Hex() }, Logger: b.log,
			Again: func(op func(*group.Coordinator, time.Time) statemachine.Output) {
				if engine, err := host.Get(partition); err == nil {
					engine.Do(op, func(error) {}) // a coordinator that has stopped has nothing to go on with
				}
			},
		})
	}
	host = statemachine.NewHost(kafka.OffsetsTopic, machine, statemachine.Options{Logger: b.log, Clock: statemachine.WallClock(b.options.Now)})
	return host
}

func (b *Broker) groupSettings() group.Settings {
	c := b.config.Load()
	return group.Settings{
		MinSessionTimeout:     c.Duration(config.GroupMinSessionTimeoutMs),
		MaxSessionTimeout:     c.Duration(config.GroupMaxSessionTimeoutMs),
		InitialRebalanceDelay: c.Duration(config.GroupInitialRebalanceDelayMs),
		MaxSize:               c.Int(config.GroupMaxSize),
		MaxMetadataBytes:      c.Int(config.OffsetMetadataMaxBytes),
		OffsetsRetention:      c.Duration(config.OffsetsRetentionMinutes),
		ExpiryInterval:        c.Duration(config.OffsetsRetentionCheckIntervalMs),
		ConsumerMaxSize:       c.Int(config.GroupConsumerMaxSize),
		Assignors:             c.List(config.GroupConsumerAssignors),
		Upgrade:               upgradePolicy(c.Text(config.GroupConsumerMigrationPolicy)),
		Downgrade:             downgradePolicy(c.Text(config.GroupConsumerMigrationPolicy)),
		RegexRefresh:          c.Duration(config.GroupConsumerRegexRefreshIntervalMs),
		StreamsMaxSize:        c.Int(config.GroupStreamsMaxSize),
	}
}

// consumerSettings are the settings of one consumer group: its own, and the broker's where it has none.
func (b *Broker) consumerSettings(groupID string) group.ConsumerSettings {
	own := b.store.Current().Config(metadata.ConfigResource{Type: metadata.ConfigGroup, Name: groupID})
	c := b.config.Load().Group(own)
	return group.ConsumerSettings{
		SessionTimeout:     c.Duration(config.ConsumerSessionTimeoutMs),
		HeartbeatInterval:  c.Duration(config.ConsumerHeartbeatIntervalMs),
		AssignmentInterval: c.Duration(config.ConsumerAssignmentIntervalMs),
	}
}

// streamsSettings are the settings of one streams group: its own, and the broker's where it has none.
func (b *Broker) streamsSettings(groupID string) group.StreamsSettings {
	own := b.store.Current().Config(metadata.ConfigResource{Type: metadata.ConfigGroup, Name: groupID})
	c := b.config.Load().Group(own)
	return group.StreamsSettings{
		SessionTimeout:     c.Duration(config.StreamsSessionTimeoutMs),
		HeartbeatInterval:  c.Duration(config.StreamsHeartbeatIntervalMs),
		AssignmentInterval: c.Duration(config.StreamsAssignmentIntervalMs),
		InitialDelay:       c.Duration(config.StreamsInitialRebalanceDelayMs),
		StandbyReplicas:    c.Int(config.StreamsNumStandbyReplicas),
	}
}

// upgradePolicy and downgradePolicy say what group.consumer.migration.policy allows.
func upgradePolicy(policy string) bool {
	return strings.EqualFold(policy, "upgrade") || strings.EqualFold(policy, "bidirectional")
}

func downgradePolicy(policy string) bool {
	return strings.EqualFold(policy, "downgrade") || strings.EqualFold(policy, "bidirectional")
}
