package tools

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

func printedBy(t *testing.T, class string, properties string, r *kgo.Record) (string, error) {
	t.Helper()
	var out, log bytes.Buffer
	f := newFormatter(formatterPackage+class, keyValues(strings.Split(properties, ";")), logger{&log})
	err := f.write(&out, r)
	return out.String() + log.String(), err
}

func TestPlainFormatter(t *testing.T) {
	r := &kgo.Record{Topic: "t", Partition: 3, Offset: 7, Key: []byte("k"), Value: []byte("abcd"), Timestamp: time.UnixMilli(1234),
		Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("1")}, {Key: "i"}}}
	null := &kgo.Record{}
	for _, c := range []struct {
		properties string
		record     *kgo.Record
		want       string
	}{
		{"", r, "abcd\n"},
		{"print.value=false", r, ""},
		{"print.key=TRUE", null, "null\tnull\n"},
		{"null.literal=-", null, "-\n"},
		{"print.timestamp=true;print.partition=true;print.offset=true;print.delivery=true;print.epoch=true;print.headers=true;print.key=true", r,
			"CreateTime:1234\tPartition:3\tOffset:7\tDelivery:NOT_PRESENT\tEpoch:NOT_PRESENT\th:1,i:null\tk\tabcd\n"},
		{"print.headers=true;key.separator=|;line.separator=!", null, "NO_HEADERS|null!"},
		{"value.deserializer=org.apache.kafka.common.serialization.IntegerDeserializer", r, "1633837924\n"},
		{"value.deserializer=org.apache.kafka.common.serialization.IntegerDeserializer", null, "null\n"},
	} {
		got, err := printedBy(t, "DefaultMessageFormatter", c.properties, c.record)
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", c.properties, got, err, c.want)
		}
	}
	if _, err := printedBy(t, "DefaultMessageFormatter", "value.deserializer=org.apache.kafka.common.serialization.LongDeserializer", r); err == nil ||
		err.Error() != "Size of data received by LongDeserializer is not 8" {
		t.Errorf("error is %v", err)
	}
	if got, err := printedBy(t, "DefaultMessageFormatter", "value.deserializer=nosuch.Class", r); err != nil || !strings.HasPrefix(got, "abcd\n[") ||
		!strings.Contains(got, "ERROR Unable to instantiate a deserializer from nosuch.Class") && !strings.Contains(got, "ERROR") {
		t.Errorf("an unknown deserializer gives %q, %v", got, err)
	}
	if got, err := printedBy(t, "NoOpMessageFormatter", "", r); err != nil || got != "" {
		t.Errorf("NoOp prints %q, %v", got, err)
	}
}

func coordinatorKeyValue(t *testing.T, key, value wire.Message, version int16) *kgo.Record {
	t.Helper()
	k, err := wire.EncodeRecordKey(key)
	if err != nil {
		t.Fatal(err)
	}
	r := &kgo.Record{Key: k}
	if value != nil {
		if r.Value, err = wire.EncodeRecordValue(value, version); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestCoordinatorFormatters(t *testing.T) {
	offsetKey := &wire.OffsetCommitKey{Group: "g", Topic: "t", Partition: 1}
	id := kafka.OneUUID
	leader, protocol := "m", "range"
	group := &wire.GroupMetadataValue{ProtocolType: "consumer", Generation: 2, Protocol: &protocol, Leader: &leader, CurrentStateTimestamp: 9,
		Members: []wire.GroupMetadataValueMemberMetadata{{MemberID: "m", ClientID: "c", ClientHost: "/1.2.3.4", RebalanceTimeout: 5, SessionTimeout: 6,
			Subscription: []byte{1}, Assignment: []byte{2}}}}
	transaction := &wire.TransactionLogValue{ProducerID: 4, PreviousProducerID: -1, NextProducerID: -1, NextProducerEpoch: -1, ProducerEpoch: 1,
		TransactionTimeoutMs: 60000, TransactionStatus: 1, TransactionPartitions: []wire.TransactionLogValuePartitionsSchema{{Topic: "t", PartitionIDs: []int32{0, 1}}},
		TransactionLastUpdateTimestampMs: 7, TransactionStartTimestampMs: 8, ClientTransactionVersion: 2}
	for _, c := range []struct {
		class  string
		record *kgo.Record
		want   string
	}{
		{"OffsetsMessageFormatter", coordinatorKeyValue(t, offsetKey, &wire.OffsetCommitValue{Offset: 5, LeaderEpoch: -1, CommitTimestamp: 6, TopicID: id, ExpireTimestamp: -1}, 4),
			`{"key":{"type":1,"data":{"group":"g","topic":"t","partition":1}},"value":{"version":4,"data":{"offset":5,"leaderEpoch":-1,"metadata":"","commitTimestamp":6,"topicId":"` + id.String() + `"}}}`},
		{"OffsetsMessageFormatter", coordinatorKeyValue(t, offsetKey, &wire.OffsetCommitValue{Offset: 5, LeaderEpoch: -1, Metadata: `"<`, CommitTimestamp: 6, ExpireTimestamp: 7}, 1),
			`{"key":{"type":1,"data":{"group":"g","topic":"t","partition":1}},"value":{"version":1,"data":{"offset":5,"metadata":"\"<","commitTimestamp":6,"expireTimestamp":7}}}`},
		{"OffsetsMessageFormatter", coordinatorKeyValue(t, offsetKey, nil, 0), `{"key":{"type":1,"data":{"group":"g","topic":"t","partition":1}},"value":null}`},
		{"OffsetsMessageFormatter", coordinatorKeyValue(t, &wire.GroupMetadataKey{Group: "g"}, group, 3), ""},
		{"GroupMetadataMessageFormatter", coordinatorKeyValue(t, &wire.GroupMetadataKey{Group: "g"}, group, 3),
			`{"key":{"type":2,"data":{"group":"g"}},"value":{"version":3,"data":{"protocolType":"consumer","generation":2,"protocol":"range","leader":"m","currentStateTimestamp":9,` +
				`"members":[{"memberId":"m","groupInstanceId":null,"clientId":"c","clientHost":"/1.2.3.4","rebalanceTimeout":5,"sessionTimeout":6,"subscription":"AQ==","assignment":"Ag=="}]}}}`},
		{"TransactionLogMessageFormatter", coordinatorKeyValue(t, &wire.TransactionLogKey{TransactionalID: "x"}, transaction, 1),
			`{"key":{"type":0,"data":{"transactionalId":"x"}},"value":{"version":1,"data":{"producerId":4,"producerEpoch":1,"transactionTimeoutMs":60000,"transactionStatus":1,` +
				`"transactionPartitions":[{"topic":"t","partitionIds":[0,1]}],"transactionLastUpdateTimestampMs":7,"transactionStartTimestampMs":8,"clientTransactionVersion":2}}}`},
	} {
		got, err := printedBy(t, c.class, "", c.record)
		if err != nil || got != c.want {
			t.Errorf("%s:\n%s\n%v, want\n%s", c.class, got, err, c.want)
		}
	}
	broken := &kgo.Record{Offset: 3, Key: []byte{0, 1, 0}}
	if _, err := printedBy(t, "OffsetsMessageFormatter", "", broken); err == nil || !strings.HasPrefix(err.Error(), "Could not read record at offset 3 due to: ") {
		t.Errorf("a broken key gives %v", err)
	}
}
