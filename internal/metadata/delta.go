package metadata

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/ottla/ottla/internal/kafka"

	"github.com/ottla/ottla/internal/wire"
)

// Delta is an Image being changed by replayed records. It belongs to one goroutine.
type Delta struct {
	base *Image
	tables
	edit *edit
	// before holds the tables at the BeginTransactionRecord of an open metadata transaction (KIP-868).
	before *tables
}

// errUnknownRecord is a record that is none of Kafka's cluster metadata records.
var errUnknownRecord = errors.New("not a record of the cluster metadata log")

// ReplayAt is Replay for a record of the log: an error names its offset.
func (d *Delta) ReplayAt(offset int64, record wire.Message) error {
	if err := d.Replay(record); err != nil {
		return fmt.Errorf("metadata record at offset %d: %w", offset, err)
	}
	return nil
}

// Replay changes the Delta by one record. The record may be reused afterwards. An error names the record's
// type; it means that the log contradicts itself or comes from a newer version, and the Delta has not changed.
func (d *Delta) Replay(record wire.Message) error {
	if err := d.replay(record); err != nil {
		return fmt.Errorf("%s: %w", recordName(record), err)
	}
	return nil
}

func recordName(record wire.Message) string {
	if t := reflect.TypeOf(record); t != nil && t.Kind() == reflect.Pointer {
		return t.Elem().Name()
	}
	return fmt.Sprintf("%T", record)
}

func (d *Delta) replay(record wire.Message) error {
	switch r := record.(type) {
	case *wire.TopicRecord:
		return d.createTopic(r)
	case *wire.PartitionRecord:
		return d.setPartition(r)
	case *wire.PartitionChangeRecord:
		return d.changePartition(r)
	case *wire.RemoveTopicRecord:
		return d.removeTopic(r)
	case *wire.ClearElrRecord:
		return d.clearELR(r)
	case *wire.ConfigRecord:
		d.setConfig(r)
		return nil
	case *wire.FeatureLevelRecord:
		d.setFeature(r)
		return nil
	case *wire.ProducerIdsRecord:
		d.producerIDs = ProducerIDs{r.BrokerID, r.BrokerEpoch, r.NextProducerID}
		return nil
	case *wire.NoOpRecord:
		return nil
	}
	return d.replayNode(record)
}

// replayNode goes on with the records about brokers and controllers.
func (d *Delta) replayNode(record wire.Message) error {
	switch r := record.(type) {
	case *wire.RegisterBrokerRecord:
		d.brokers = d.brokers.set(r.BrokerID, brokerOf(r), d.edit)
		return nil
	case *wire.UnregisterBrokerRecord:
		if _, err := d.registered(r.BrokerID, r.BrokerEpoch); err != nil {
			return err
		}
		d.brokers = d.brokers.remove(r.BrokerID, d.edit)
		return nil
	case *wire.FenceBrokerRecord:
		return d.fence(r.ID, r.Epoch, true)
	case *wire.UnfenceBrokerRecord:
		return d.fence(r.ID, r.Epoch, false)
	case *wire.BrokerRegistrationChangeRecord:
		return d.changeBroker(r)
	case *wire.RegisterControllerRecord:
		d.controllers = d.controllers.set(r.ControllerID, copyController(r), d.edit)
		return nil
	}
	return d.replaySecurity(record)
}

// replaySecurity goes on with quotas, access control and credentials.
func (d *Delta) replaySecurity(record wire.Message) error {
	switch r := record.(type) {
	case *wire.ClientQuotaRecord:
		d.setQuota(r)
	case *wire.AccessControlEntryRecord:
		entry := *r
		entry.UnknownTags = nil
		d.acls = d.acls.set(r.ID, &entry, d.edit)
	case *wire.RemoveAccessControlEntryRecord:
		if _, found := d.acls.get(r.ID); !found {
			return fmt.Errorf("there is no access control entry %s", r.ID)
		}
		d.acls = d.acls.remove(r.ID, d.edit)
	case *wire.UserScramCredentialRecord:
		d.scram = d.scram.set(ScramUser{r.Mechanism, r.Name}, copyCredential(r), d.edit)
	case *wire.RemoveUserScramCredentialRecord:
		d.scram = d.scram.remove(ScramUser{r.Mechanism, r.Name}, d.edit)
	case *wire.DelegationTokenRecord:
		d.tokens = d.tokens.set(r.TokenID, copyToken(r), d.edit)
	case *wire.RemoveDelegationTokenRecord:
		d.tokens = d.tokens.remove(r.TokenID, d.edit)
	default:
		return d.replayTransaction(record)
	}
	return nil
}

// replayTransaction goes on with metadata transactions and what is left of the move away from ZooKeeper.
func (d *Delta) replayTransaction(record wire.Message) error {
	switch r := record.(type) {
	case *wire.BeginTransactionRecord:
		if d.before != nil {
			return errors.New("the transaction before it has not ended")
		}
		before := d.tables
		d.before, d.edit = &before, new(edit)
	case *wire.EndTransactionRecord:
		if d.before == nil {
			return errors.New("no transaction has begun")
		}
		d.before = nil
	case *wire.AbortTransactionRecord:
		if d.before == nil {
			return errors.New("no transaction has begun")
		}
		d.tables, d.before, d.edit = *d.before, nil, new(edit)
	case *wire.ZkMigrationStateRecord:
		state := r.ZkMigrationState
		d.zkMigration = &state
	default:
		return errUnknownRecord
	}
	return nil
}

// InTransaction reports whether a metadata transaction is open: its records are replayed, but Apply leaves
// them out until it ends.
func (d *Delta) InTransaction() bool { return d.before != nil }

// Apply returns the Image after the records replayed so far, the last of which had the offset and epoch. The
// Delta goes on from there: it may be used further.
func (d *Delta) Apply(offset int64, epoch int32) *Image {
	committed := d.tables
	if d.before != nil {
		committed = *d.before
	}
	d.base = &Image{offset: offset, epoch: epoch, clusterID: d.base.clusterID, tables: committed}
	d.edit = new(edit)
	return d.base
}

// TopicByID returns a topic of the Delta as it is now, or nil.
func (d *Delta) TopicByID(id kafka.UUID) *Topic {
	t, _ := d.topicsByID.get(id)
	return t
}
