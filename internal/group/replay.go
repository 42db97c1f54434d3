package group

import (
	"fmt"

	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/wire"
)

// Types of records in __consumer_offsets (org.apache.kafka.coordinator.group.generated.CoordinatorRecordType).
const (
	legacyOffsetRecord = 0
	offsetRecordType   = 1
	groupRecordType    = 2
)

// Replay implements statemachine.Machine. A record of a type that Kafka 4.3 does not have is left from some later
// version, and ignored as Kafka does. One of a group protocol that is not served here is an error: a group must not be
// taken for something else than it is.
func (c *Coordinator) Replay(offset int64, r statemachine.Record) error {
	kind, err := wire.RecordType(r.Key)
	if err != nil {
		return err
	}
	switch kind {
	case legacyOffsetRecord, offsetRecordType:
		return c.replayOffset(offset, kind, r)
	case groupRecordType:
		return c.replayGroup(r)
	case consumerEpochRecord, consumerLegacyRecord, consumerMemberRecord, consumerTargetEpochRecord, consumerTargetRecord, consumerCurrentRecord, consumerRegexRecord:
		return c.replayConsumer(r)
	case streamsEpochRecord, streamsMemberRecord, streamsTargetEpochRecord, streamsTargetRecord, streamsCurrentRecord, streamsTopologyRecord:
		return c.replayStreams(r)
	}
	if wire.NewGroupKey(kind) == nil {
		c.options.Logger.Warn("record of an unknown type ignored", "type", kind, "offset", offset)
		return nil
	}
	return fmt.Errorf("record type %d of __consumer_offsets belongs to a group protocol that this version does not serve", kind)
}
