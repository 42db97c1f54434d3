package metadata

import (
	"bytes"
	"cmp"
	"iter"
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// Image is the cluster's metadata after the record at Offset. It is immutable and safe for any number of
// readers; whatever its methods return is shared with other Images and must not be written to.
type Image struct {
	offset    int64
	epoch     int32
	clusterID string
	tables
}

// tables is what records change; a Delta works on a copy of these pointers.
type tables struct {
	topics      *sorted[string, *Topic]
	topicsByID  *sorted[kafka.UUID, *Topic]
	brokers     *sorted[int32, *Broker]
	controllers *sorted[int32, *wire.RegisterControllerRecord]
	configs     *sorted[ConfigResource, map[string]string]
	features    *sorted[string, int16]
	quotas      *sorted[string, *Quota]
	acls        *sorted[kafka.UUID, *wire.AccessControlEntryRecord]
	scram       *sorted[ScramUser, *wire.UserScramCredentialRecord]
	tokens      *sorted[string, *wire.DelegationTokenRecord]
	producerIDs ProducerIDs
	zkMigration *int8
}

// ConfigType is the type of a resource that has a configuration
// (org.apache.kafka.common.config.ConfigResource.Type).
type ConfigType int8

// The configuration resource types.
const (
	ConfigTopic         ConfigType = 2
	ConfigBroker        ConfigType = 4
	ConfigBrokerLogger  ConfigType = 8
	ConfigClientMetrics ConfigType = 16
	ConfigGroup         ConfigType = 32
)

// ConfigResource names a resource that has a configuration. The broker "" stands for the default of all
// brokers.
type ConfigResource struct {
	Type ConfigType
	Name string
}

// ScramUser names a SCRAM credential: mechanism 1 is SCRAM-SHA-256, 2 is SCRAM-SHA-512.
type ScramUser struct {
	Mechanism int8
	Name      string
}

// ProducerIDs says which producer ids are taken: all below Next. Broker and BrokerEpoch are those of the
// last request for a block. The zero value stands for a log without a ProducerIdsRecord.
type ProducerIDs struct {
	Broker      int32
	BrokerEpoch int64
	Next        int64
}

// Empty returns the image of an empty log: offset and epoch are -1.
func Empty(clusterID string) *Image {
	return &Image{offset: -1, epoch: -1, clusterID: clusterID, tables: tables{
		topics:      newOrdered[string, *Topic](),
		topicsByID:  newSorted[kafka.UUID, *Topic](compareUUID),
		brokers:     newOrdered[int32, *Broker](),
		controllers: newOrdered[int32, *wire.RegisterControllerRecord](),
		configs:     newSorted[ConfigResource, map[string]string](compareResource),
		features:    newOrdered[string, int16](),
		quotas:      newOrdered[string, *Quota](),
		acls:        newSorted[kafka.UUID, *wire.AccessControlEntryRecord](compareUUID),
		scram:       newSorted[ScramUser, *wire.UserScramCredentialRecord](compareScramUser),
		tokens:      newOrdered[string, *wire.DelegationTokenRecord](),
	}}
}

func compareUUID(a, b kafka.UUID) int { return bytes.Compare(a[:], b[:]) }

func compareResource(a, b ConfigResource) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
}

func compareScramUser(a, b ScramUser) int {
	return cmp.Or(cmp.Compare(a.Mechanism, b.Mechanism), cmp.Compare(a.Name, b.Name))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Offset is the offset of the last record in the image, -1 if there is none.
func (im *Image) Offset() int64 { return im.offset }

// Epoch is the leader epoch (raft term) of the last record in the image, -1 if there is none.
func (im *Image) Epoch() int32 { return im.epoch }

// ClusterID is the id given to Empty.
func (im *Image) ClusterID() string { return im.clusterID }

// Topic returns a topic by its name, or nil.
func (im *Image) Topic(name string) *Topic {
	t, _ := im.topics.get(name)
	return t
}

// TopicByID returns a topic by its id, or nil.
func (im *Image) TopicByID(id kafka.UUID) *Topic {
	t, _ := im.topicsByID.get(id)
	return t
}

// Partition returns a partition, or nil.
func (im *Image) Partition(tp kafka.TopicPartition) *Partition {
	return im.Topic(tp.Topic).Partition(tp.Partition)
}

// Topics yields all topics in the order of their names.
func (im *Image) Topics() iter.Seq[*Topic] { return im.topics.values() }

// TopicsFrom yields the topics whose name is not below the given one, in the order of their names.
func (im *Image) TopicsFrom(name string) iter.Seq[*Topic] {
	return func(yield func(*Topic) bool) {
		c, i, _ := im.topics.find(name)
		for at := (cursor[string, *Topic]{s: im.topics, c: c, i: i}); !at.done(); at.next() {
			if at.i >= len(at.chunk().entries) {
				if at.skipChunk(); at.done() {
					return
				}
			}
			if !yield(at.entry().value) {
				return
			}
		}
	}
}

// TopicCount is the number of topics.
func (im *Image) TopicCount() int { return im.topics.len() }

// Broker returns a registered broker, fenced or not, or nil.
func (im *Image) Broker(id int32) *Broker {
	b, _ := im.brokers.get(id)
	return b
}

// Brokers yields all registered brokers, fenced or not, in the order of their ids.
func (im *Image) Brokers() iter.Seq[*Broker] { return im.brokers.values() }

// Config returns the dynamic configuration of a resource, nil if it has none.
func (im *Image) Config(resource ConfigResource) map[string]string {
	c, _ := im.configs.get(resource)
	return c
}

// TopicConfig returns the overrides of a topic, nil if it has none.
func (im *Image) TopicConfig(name string) map[string]string {
	return im.Config(ConfigResource{ConfigTopic, name})
}

// Configs yields all resources that have a dynamic configuration, by type and name.
func (im *Image) Configs() iter.Seq2[ConfigResource, map[string]string] { return im.configs.all() }

// Feature returns the finalized level of a feature, 0 if it has none.
func (im *Image) Feature(name string) int16 {
	level, _ := im.features.get(name)
	return level
}

// Features yields the finalized features and their levels in the order of their names. kraft.version is not
// among them: as in Kafka it belongs to the quorum.
func (im *Image) Features() iter.Seq2[string, int16] { return im.features.all() }

// ProducerIDs says which producer ids are taken.
func (im *Image) ProducerIDs() ProducerIDs { return im.producerIDs }

// Quotas yields the client quotas.
func (im *Image) Quotas() iter.Seq[*Quota] { return im.quotas.values() }

// ACLs yields the access control entries in the order of their ids.
func (im *Image) ACLs() iter.Seq[*wire.AccessControlEntryRecord] { return im.acls.values() }

// ScramCredential returns the credential of a user, or nil.
func (im *Image) ScramCredential(user ScramUser) *wire.UserScramCredentialRecord {
	c, _ := im.scram.get(user)
	return c
}

// ScramCredentials yields all SCRAM credentials by mechanism and name.
func (im *Image) ScramCredentials() iter.Seq[*wire.UserScramCredentialRecord] {
	return im.scram.values()
}

// DelegationTokens yields all delegation tokens in the order of their ids.
func (im *Image) DelegationTokens() iter.Seq[*wire.DelegationTokenRecord] { return im.tokens.values() }

// Controllers yields the registered controllers in the order of their ids.
func (im *Image) Controllers() iter.Seq[*wire.RegisterControllerRecord] {
	return im.controllers.values()
}

// Change begins a Delta on top of the image.
func (im *Image) Change() *Delta {
	return &Delta{base: im, tables: im.tables, edit: new(edit)}
}
