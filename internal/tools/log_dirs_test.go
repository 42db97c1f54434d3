package tools

import (
	"encoding/json"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Members and partitions are in the order of Java's maps.
func TestDescribeDirs(t *testing.T) {
	dir := func(path string, code int16, topics ...kmsg.DescribeLogDirsResponseDirTopic) kmsg.DescribeLogDirsResponseDir {
		d := kmsg.NewDescribeLogDirsResponseDir()
		d.Dir, d.ErrorCode, d.Topics = path, code, topics
		return d
	}
	topic := func(name string, ids ...int32) kmsg.DescribeLogDirsResponseDirTopic {
		t := kmsg.NewDescribeLogDirsResponseDirTopic()
		t.Topic = name
		for _, id := range ids {
			p := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
			p.Partition, p.Size, p.IsFuture = id, int64(100+id), id == 1
			t.Partitions = append(t.Partitions, p)
		}
		return t
	}
	dirs := []kmsg.DescribeLogDirsResponseDir{dir("/one", 0, topic("t", 0, 1), topic("u", 0)), dir("/two", 56)}
	got, err := json.Marshal(describeDirs(dirs, []string{"t"}))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"partitions":[{"partition":"t-1","size":101,"offsetLag":0,"isFuture":true},{"partition":"t-0","size":100,"offsetLag":0,"isFuture":false}],"error":null,"logDir":"/one"},` +
		`{"partitions":[],"error":"org.apache.kafka.common.errors.KafkaStorageException","logDir":"/two"}]`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
