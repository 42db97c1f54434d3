package tools

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire/recordjson"
)

// A remoteDecoder prints the records of __remote_log_metadata in the form of their Java objects' toString.
type remoteDecoder struct{ schema *recordjson.Schema }

func newRemoteDecoder() remoteDecoder { return remoteDecoder{recordjson.Load("storage_records")} }

func (d remoteDecoder) decode(r *dumpedRecord) (key, value *string, err error) {
	text, err := d.describe(r)
	if err != nil {
		text = fmt.Sprintf("Error at offset %d, skipping. %v", r.offset, err)
	}
	return nil, &text, nil
}

func (d remoteDecoder) describe(r *dumpedRecord) (string, error) {
	if r.value == nil {
		return "", &exception{class: "java.lang.NullPointerException",
			message: `Cannot invoke "java.nio.ByteBuffer.remaining()" because the return value of "org.apache.kafka.common.record.internal.Record.value()" is null`}
	}
	f, err := decodeFramed(d.schema, r.value)
	if err != nil {
		return "", err
	}
	o := remoteObject{Struct: f.data}
	class := strings.TrimSuffix(f.message.Name, "Record")
	switch class {
	case "RemoteLogSegmentMetadata":
		o.add("remoteLogSegmentId", o.segmentID())
		o.checkRange()
		o.checkEpochs()
		o.segment("brokerId", "maxTimestampMs", "eventTimestampMs")
	case "RemoteLogSegmentMetadataSnapshot":
		o.add("segmentId", o.Get("SegmentId").(kafka.UUID).String())
		o.segment("maxTimestampMs")
		o.checkEpochs()
	case "RemoteLogSegmentMetadataUpdate":
		o.add("remoteLogSegmentId", o.segmentID())
		o.add("customMetadata", o.custom())
		o.segmentState()
		o.numbers("eventTimestampMs", "brokerId")
	case "RemotePartitionDeleteMetadata":
		o.add("topicPartition", topicIDPartition(o.Struct))
		o.state("RemotePartitionDeleteState", "null", "DELETE_PARTITION_MARKED", "DELETE_PARTITION_STARTED", "DELETE_PARTITION_FINISHED")
		o.numbers("eventTimestampMs", "brokerId")
	}
	return class + "{" + strings.Join(o.parts, ", ") + "}", o.err
}

// A remoteObject collects the parts of a toString. err is why Kafka would not make the object.
type remoteObject struct {
	*recordjson.Struct
	parts []string
	err   error
}

func (o *remoteObject) add(name, value string) { o.parts = append(o.parts, name+"="+value) }

// numbers adds fields that are called as in the record.
func (o *remoteObject) numbers(names ...string) {
	for _, name := range names {
		o.add(name, fmt.Sprint(o.Get(strings.ToUpper(name[:1])+name[1:])))
	}
}

// segment adds what the description of a whole segment has after its id; the fields are those after the offsets.
func (o *remoteObject) segment(fields ...string) {
	o.numbers(append([]string{"startOffset", "endOffset"}, fields...)...)
	o.add("segmentLeaderEpochs", o.epochs())
	o.numbers("segmentSizeInBytes")
	o.add("customMetadata", o.custom())
	o.segmentState()
	o.add("txnIdxEmpty", fmt.Sprint(o.Get("TxnIndexEmpty")))
}

func (o *remoteObject) checkRange() {
	start, end := o.Get("StartOffset").(int64), o.Get("EndOffset").(int64)
	if start < 0 {
		o.fail(fmt.Sprintf("Unexpected start offset = %d. StartOffset for a remote segment cannot be negative", start))
	} else if end < start {
		o.fail(fmt.Sprintf("Unexpected end offset = %d. EndOffset for a remote segment cannot be less than startOffset = %d", end, start))
	}
}

func (o *remoteObject) checkEpochs() {
	if epochs, _ := o.Get("SegmentLeaderEpochs").([]any); len(epochs) == 0 {
		o.fail("segmentLeaderEpochs can not be null or empty")
	}
}

// fail keeps the first fault.
func (o *remoteObject) fail(fault string) { o.err = cmp.Or(o.err, errors.New(fault)) }

func (o *remoteObject) segmentState() {
	o.state("RemoteLogSegmentState", "state can not be null", "COPY_SEGMENT_STARTED", "COPY_SEGMENT_FINISHED", "DELETE_SEGMENT_STARTED", "DELETE_SEGMENT_FINISHED")
}

// state adds the name of the state in a field; fault is what Kafka says of another one.
func (o *remoteObject) state(field, fault string, names ...string) {
	id := o.Get(field).(int64)
	if id < 0 || int(id) >= len(names) {
		o.fail(fault)
		return
	}
	o.add("state", names[id])
}

func (o *remoteObject) segmentID() string {
	id := o.Get("RemoteLogSegmentId").(*recordjson.Struct)
	return fmt.Sprintf("RemoteLogSegmentId{topicIdPartition=%s, id=%s}", topicIDPartition(id), id.Get("Id"))
}

// topicIDPartition is the partition that s has a field for.
func topicIDPartition(s *recordjson.Struct) string {
	tp := s.Get("TopicIdPartition").(*recordjson.Struct)
	return fmt.Sprintf("%s:%s-%d", tp.Get("Id"), tp.Get("Name"), tp.Get("Partition"))
}

// epochs are the leader epochs of a segment with their first offsets, as a sorted map.
func (o *remoteObject) epochs() string {
	starts := make(map[int64]int64)
	entries, _ := o.Get("SegmentLeaderEpochs").([]any)
	for _, e := range entries {
		e := e.(*recordjson.Struct)
		starts[e.Get("LeaderEpoch").(int64)] = e.Get("Offset").(int64)
	}
	var parts []string
	for _, epoch := range slices.Sorted(maps.Keys(starts)) {
		parts = append(parts, fmt.Sprintf("%d=%d", epoch, starts[epoch]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (o *remoteObject) custom() string {
	if bytes, ok := o.Get("CustomMetadata").([]byte); ok {
		return fmt.Sprintf("Optional[CustomMetadata{%d bytes}]", len(bytes))
	}
	return "Optional.empty"
}
