package wire

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ottla/ottla/internal/kafka"
)

// Bytes put together by hand from Kafka's description of the protocol.
func TestGoldenBytes(t *testing.T) {
	topic := kafka.UUID{0: 0xaa, 15: 0xbb}
	for _, c := range []struct {
		name    string
		m       Message
		version int16
		hex     string
	}{
		{"request header", &RequestHeader{RequestApiKey: 18, RequestApiVersion: 3, CorrelationID: 7, ClientID: new("cli")}, 2,
			"0012 0003 00000007 0003 636c69 00"},
		{"request header without client id", &RequestHeader{RequestApiKey: 0, RequestApiVersion: 3, CorrelationID: -1}, 1,
			"0000 0003 ffffffff ffff"},
		{"ApiVersions v3", &ApiVersionsRequest{ClientSoftwareName: "cli", ClientSoftwareVersion: "1.0"}, 3,
			"04 636c69 04 312e30 00"},
		{"ApiVersions v0 response", &ApiVersionsResponse{ErrorCode: 35, ApiKeys: []ApiVersionsResponseApiVersion{{ApiKey: 18, MaxVersion: 4}},
			FinalizedFeaturesEpoch: -1}, 0,
			"0023 00000001 0012 0000 0004"},
		{"Produce v3", &ProduceRequest{Acks: -1, TimeoutMs: 1000, TopicData: []ProduceRequestTopicProduceData{
			{Name: "t", PartitionData: []ProduceRequestPartitionProduceData{{Index: 2, Records: []byte("abc")}}}}}, 3,
			"ffff ffff 000003e8 00000001 0001 74 00000001 00000002 00000003 616263"},
		{"Produce v13", &ProduceRequest{TransactionalID: new("x"), Acks: 1, TimeoutMs: 1000, TopicData: []ProduceRequestTopicProduceData{
			{TopicID: topic, PartitionData: []ProduceRequestPartitionProduceData{{Index: 2, Records: nil}}}}}, 13,
			"02 78 0001 000003e8 02 aa0000000000000000000000000000bb 02 00000002 00 00 00 00"},
		{"tagged fields", &FetchRequest{ClusterID: new("c"), ReplicaID: -1,
			ReplicaState: FetchRequestReplicaState{ReplicaID: 3, ReplicaEpoch: 4}, MaxWaitMs: 500, MinBytes: 1, MaxBytes: 2,
			SessionEpoch: -1, UnknownTags: []Tag{{9, []byte("u")}}}, 18,
			"000001f4 00000001 00000002 00 00000000 ffffffff 01 01 01" +
				"03  00 02 0263  01 0d 00000003 0000000000000004 00  09 01 75"},
		{"nullable struct", &DescribeTopicPartitionsRequest{ResponsePartitionLimit: 5,
			Cursor: &DescribeTopicPartitionsRequestCursor{TopicName: "t", PartitionIndex: 1}}, 0,
			"01 00000005 01 02 74 00000001 00 00"},
		{"null struct", &DescribeTopicPartitionsRequest{ResponsePartitionLimit: 5}, 0, "01 00000005 ff 00"},
		{"null and empty arrays", &MetadataRequest{Topics: nil, AllowAutoTopicCreation: true}, 4, "ffffffff 01"},
		{"empty array", &MetadataRequest{Topics: []MetadataRequestTopic{}, AllowAutoTopicCreation: true}, 4, "00000000 01"},
		{"offset key", &OffsetCommitKey{Group: "g", Topic: "t", Partition: 1}, 0, "0001 67 0001 74 00000001"},
		{"producer snapshot", &ProducerSnapshot{Crc: 0xfffefdfc}, 1, "fffefdfc 00000000"},
		{"float", &ClientQuotaRecord{QuotaKey: "k", Value: 1.5}, 0, "01 02 6b 3ff8000000000000 00 00"},
	} {
		want, err := hex.DecodeString(strings.ReplaceAll(c.hex, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		var w Writer
		c.m.Encode(&w, c.version)
		if w.Err() != nil || !bytes.Equal(want, w.Bytes()) {
			t.Errorf("%s: %v, want\n%x\ngot\n%x", c.name, w.Err(), want, w.Bytes())
		}
		got := fresh(c.m)
		r := NewReader(want)
		got.Decode(r, c.version)
		if err := r.Done(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if diff := cmp.Diff(c.m, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
