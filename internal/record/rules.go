package record

import "github.com/ottla/ottla/internal/kafka"

// Origin says who appends. It decides how much is checked (Kafka's AppendOrigin).
type Origin int8

const (
	// Client is a Produce request: everything is checked.
	Client Origin = iota
	// Coordinator is a group or transaction coordinator on this broker: its batches may be control
	// batches and carry producer ids without sequences.
	Coordinator
	// Replication is a follower's copy of what the leader has checked.
	Replication
	// RaftLeader is the metadata quorum's own log.
	RaftLeader
)

func (o Origin) String() string {
	return [...]string{"client", "coordinator", "replication", "raft leader"}[o&3]
}

// Rules say what Validate lets into a partition: who appends, and the topic's settings.
// The zero value of a field is no Kafka default; take the topic's configuration.
type Rules struct {
	// Partition is named in error texts.
	Partition kafka.TopicPartition
	// Origin is who appends.
	Origin Origin
	// ProduceVersion is the version of the Produce request; zstd needs 7. Only for Origin Client.
	ProduceVersion int16
	// MaxMessageBytes is max.message.bytes: the size of a whole batch, as compressed. 0: no limit.
	MaxMessageBytes int
	// Compacted is whether cleanup.policy has compact: every record needs a key.
	Compacted bool
	// TimestampType is message.timestamp.type.
	TimestampType TimestampType
	// TimestampBeforeMaxMs and TimestampAfterMaxMs are message.timestamp.before.max.ms and .after.max.ms.
	TimestampBeforeMaxMs int64
	TimestampAfterMaxMs  int64
	// Compression is compression.type with its level, nil for "producer".
	Compression *Compression
	// MaxDecompressedBytes is the most that one batch may decompress to, whatever its size;
	// 0: DefaultMaxDecompressedBytes. Smaller batches have a smaller limit, see DecompressionBudget.
	MaxDecompressedBytes int
}

// Batches that decompress to less than this are never refused.
const minDecompressionBudget = 16 << 20

// decompressionRatio is how many bytes above that each compressed byte may become.
const decompressionRatio = 128

// DecompressionBudget is the number of bytes that a batch of size bytes may decompress to:
// 16 MiB + 128 * size, at most MaxDecompressedBytes. Kafka has no such limit: it decompresses whatever
// a client sends, so that 1 MB on the wire costs it gigabytes of work. Honest batches stay far below:
// producers fill batches by uncompressed bytes or by a running estimate of the ratio.
func (r *Rules) DecompressionBudget(size int) int {
	limit := r.MaxDecompressedBytes
	if limit <= 0 {
		limit = DefaultMaxDecompressedBytes
	}
	return min(limit, minDecompressionBudget+decompressionRatio*size)
}
