package tools

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The order is that of Java's maps: kafka-log-dirs of Kafka 4.3.1 printed these directories and partitions in it.
func TestLogDirsJSON(t *testing.T) {
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
	got := strings.Join(logDirsJSON(dirs, []string{"t"}), "\n")
	want := `{"partitions":[{"partition":"t-0","size":100,"offsetLag":0,"isFuture":false},{"partition":"t-1","size":101,"offsetLag":0,"isFuture":true}],"error":null,"logDir":"/one"}
{"partitions":[],"error":"org.apache.kafka.common.errors.KafkaStorageException","logDir":"/two"}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
