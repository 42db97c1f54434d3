package tools

import (
	"fmt"
	"io"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/wire"
)

// A coordinatorFormatter prints records of an internal topic as JSON, one after the other without line ends, as Kafka does. Records of
// other types are left out.
type coordinatorFormatter struct {
	decode func(*kgo.Record) (coordinatorRecord, error)
}

// A coordinatorRecord is a decoded record; no key says that it is not one of those to print.
type coordinatorRecord struct {
	kind    int16
	key     *object
	version int16
	value   *object // nil for a tombstone
}

func (f coordinatorFormatter) write(w io.Writer, r *kgo.Record) error {
	if r.Key == nil {
		return nil
	}
	c, err := f.decode(r)
	if err != nil {
		return &exception{class: "java.lang.RuntimeException", cause: err,
			message: fmt.Sprintf("Could not read record at offset %d due to: %v", r.Offset, err)}
	}
	if c.key == nil {
		return nil
	}
	out := new(object).raw("key", new(object).number("type", int64(c.kind)).raw("data", c.key.String()).String())
	if c.value == nil {
		out.raw("value", "null")
	} else {
		out.raw("value", new(object).number("version", int64(c.version)).raw("data", c.value.String()).String())
	}
	io.WriteString(w, out.String())
	return nil
}

// decodeRecord reads key and value; has is false for a tombstone.
func decodeRecord(r *kgo.Record, key, value wire.Message) (version int16, has bool, err error) {
	if err = wire.DecodeRecordKey(r.Key, key); err != nil || r.Value == nil {
		return 0, false, err
	}
	version, err = wire.DecodeRecordValue(r.Value, value)
	return version, err == nil, err
}

// offsetsRecord decodes offset commits of __consumer_offsets.
func offsetsRecord(r *kgo.Record) (c coordinatorRecord, err error) {
	if c.kind, err = wire.RecordType(r.Key); err != nil {
		return c, err
	}
	var value wire.OffsetCommitValue
	var key wire.OffsetCommitKey
	var has bool
	switch c.kind {
	case 0:
		var legacy wire.LegacyOffsetCommitKey
		var legacyValue wire.LegacyOffsetCommitValue
		if c.version, has, err = decodeRecord(r, &legacy, &legacyValue); err != nil {
			return c, err
		}
		key = wire.OffsetCommitKey(legacy)
		value = wire.OffsetCommitValue{Offset: legacyValue.Offset, Metadata: legacyValue.Metadata, CommitTimestamp: legacyValue.CommitTimestamp}
	case 1:
		if c.version, has, err = decodeRecord(r, &key, &value); err != nil {
			return c, err
		}
	default:
		return c, nil
	}
	c.key = new(object).text("group", key.Group).text("topic", key.Topic).number("partition", int64(key.Partition))
	if has {
		c.value = offsetCommitJSON(value, c.version)
	}
	return c, nil
}

func offsetCommitJSON(v wire.OffsetCommitValue, version int16) *object {
	o := new(object).number("offset", v.Offset)
	if version >= 3 {
		o.number("leaderEpoch", int64(v.LeaderEpoch))
	}
	o.text("metadata", v.Metadata).number("commitTimestamp", v.CommitTimestamp)
	if version == 1 {
		o.number("expireTimestamp", v.ExpireTimestamp)
	}
	if version >= 4 && !v.TopicID.IsZero() {
		o.text("topicId", v.TopicID.String())
	}
	return o
}

// groupRecord decodes the classic groups of __consumer_offsets.
func groupRecord(r *kgo.Record) (c coordinatorRecord, err error) {
	if c.kind, err = wire.RecordType(r.Key); err != nil || c.kind != 2 {
		return c, err
	}
	var key wire.GroupMetadataKey
	var value wire.GroupMetadataValue
	var has bool
	if c.version, has, err = decodeRecord(r, &key, &value); err != nil {
		return c, err
	}
	c.key = new(object).text("group", key.Group)
	if !has {
		return c, nil
	}
	c.value = new(object).text("protocolType", value.ProtocolType).number("generation", int64(value.Generation)).
		nullableText("protocol", value.Protocol).nullableText("leader", value.Leader)
	if c.version >= 2 {
		c.value.number("currentStateTimestamp", value.CurrentStateTimestamp)
	}
	var members []string
	for _, m := range value.Members {
		members = append(members, memberJSON(m, c.version).String())
	}
	c.value.list("members", members)
	return c, nil
}

func memberJSON(m wire.GroupMetadataValueMemberMetadata, version int16) *object {
	o := new(object).text("memberId", m.MemberID)
	if version >= 3 {
		o.nullableText("groupInstanceId", m.GroupInstanceID)
	}
	o.text("clientId", m.ClientID).text("clientHost", m.ClientHost)
	if version >= 1 {
		o.number("rebalanceTimeout", int64(m.RebalanceTimeout))
	}
	return o.number("sessionTimeout", int64(m.SessionTimeout)).bytes("subscription", m.Subscription).bytes("assignment", m.Assignment)
}

// transactionRecord decodes the records of __transaction_state.
func transactionRecord(r *kgo.Record) (c coordinatorRecord, err error) {
	if c.kind, err = wire.RecordType(r.Key); err != nil || c.kind != 0 {
		return c, err
	}
	var key wire.TransactionLogKey
	var value wire.TransactionLogValue
	var has bool
	if c.version, has, err = decodeRecord(r, &key, &value); err != nil {
		return c, err
	}
	c.key = new(object).text("transactionalId", key.TransactionalID)
	if has {
		c.value = transactionJSON(value)
	}
	return c, nil
}

// transactionJSON leaves out the optional fields that have their defaults, which version 0 does not have.
func transactionJSON(v wire.TransactionLogValue) *object {
	o := new(object).number("producerId", v.ProducerID)
	optional := func(name string, value, fallback int64) {
		if value != fallback {
			o.number(name, value)
		}
	}
	optional("previousProducerId", v.PreviousProducerID, -1)
	optional("nextProducerId", v.NextProducerID, -1)
	o.number("producerEpoch", int64(v.ProducerEpoch))
	optional("nextProducerEpoch", int64(v.NextProducerEpoch), -1)
	o.number("transactionTimeoutMs", int64(v.TransactionTimeoutMs)).number("transactionStatus", int64(v.TransactionStatus))
	if v.TransactionPartitions == nil {
		o.raw("transactionPartitions", "null")
	} else {
		var topics []string
		for _, t := range v.TransactionPartitions {
			var ids []string
			for _, id := range t.PartitionIDs {
				ids = append(ids, strconv.Itoa(int(id)))
			}
			topics = append(topics, new(object).text("topic", t.Topic).list("partitionIds", ids).String())
		}
		o.list("transactionPartitions", topics)
	}
	o.number("transactionLastUpdateTimestampMs", v.TransactionLastUpdateTimestampMs).
		number("transactionStartTimestampMs", v.TransactionStartTimestampMs)
	optional("clientTransactionVersion", int64(v.ClientTransactionVersion), 0)
	return o
}
