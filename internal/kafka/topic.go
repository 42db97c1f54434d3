package kafka

import (
	"fmt"
	"strconv"
	"strings"
)

// TopicPartition names one partition of a topic.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// String returns topic-partition, which is also the name of the partition's folder.
func (tp TopicPartition) String() string {
	return tp.Topic + "-" + strconv.FormatInt(int64(tp.Partition), 10)
}

// Names of the internal topics. Clients may read them; only the broker writes them.
const (
	OffsetsTopic      = "__consumer_offsets"
	TransactionsTopic = "__transaction_state"
	ShareStateTopic   = "__share_group_state"
	MetadataTopic     = "__cluster_metadata"
)

// IsInternalTopic reports whether Metadata marks the topic as internal.
func IsInternalTopic(name string) bool {
	return name == OffsetsTopic || name == TransactionsTopic || name == ShareStateTopic
}

// MaxTopicNameLength is the longest topic name in bytes (org.apache.kafka.common.internals.Topic).
const MaxTopicNameLength = 249

// CheckTopicName returns an INVALID_TOPIC_EXCEPTION that says what is wrong with a topic's name, or nil.
func CheckTopicName(name string) error {
	switch {
	case name == "":
		return Errorf(InvalidTopicException, "Topic name is invalid: the empty string is not allowed")
	case name == "." || name == "..":
		return Errorf(InvalidTopicException, "Topic name is invalid: '%s' is not allowed", name)
	case len(name) > MaxTopicNameLength:
		return Errorf(InvalidTopicException, "Topic name is invalid: the length of '%s' is longer than the max allowed length %d", name, MaxTopicNameLength)
	}
	for i := range len(name) {
		c := name[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' && c < 0x80
		if !letter && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return Errorf(InvalidTopicException, "Topic name is invalid: '%s' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'", name)
		}
	}
	return nil
}

// TopicNamesCollide reports whether two names differ only in '.' against '_': metric names fold the
// two, so Kafka refuses to create the second.
func TopicNamesCollide(a, b string) bool {
	return a != b && strings.ReplaceAll(a, ".", "_") == strings.ReplaceAll(b, ".", "_")
}

// ParseTopicPartition reads topic-partition, as folders are named.
func ParseTopicPartition(text string) (TopicPartition, error) {
	i := strings.LastIndexByte(text, '-')
	if i <= 0 {
		return TopicPartition{}, fmt.Errorf("%q is not of the form topic-partition", text)
	}
	n, err := strconv.ParseInt(text[i+1:], 10, 32)
	if err != nil || n < 0 {
		return TopicPartition{}, fmt.Errorf("%q does not end with a partition number", text)
	}
	return TopicPartition{text[:i], int32(n)}, nil
}
