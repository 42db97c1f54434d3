package api

import (
	"strconv"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// describeLogDirs answers DescribeLogDirs 1-5: the size of each replica, by log directory. Null topics mean all. Version 4
// adds the space of the volume (KIP-827), 5 whether a directory is cordoned (KIP-1066), which none is here yet.
func (a *API) describeLogDirs(c Call, rq *wire.DescribeLogDirsRequest) {
	response := new(wire.DescribeLogDirsResponse)
	wanted := wantedReplicas(rq)
	for _, dir := range a.Partitions.Dirs() {
		result := wire.DescribeLogDirsResponseDescribeLogDirsResult{LogDir: dir.Path(), TotalBytes: -1, UsableBytes: -1}
		if dir.Failed() != nil {
			result.ErrorCode = int16(kafka.KafkaStorageError)
		} else {
			result.Topics = a.replicasIn(dir, wanted)
			if free, total, err := dir.Space(); err == nil {
				result.UsableBytes, result.TotalBytes = free, total
			}
		}
		response.Results = append(response.Results, result)
	}
	c.Reply(response)
}

// replicasIn lists the replicas in a directory that the request asks for.
func (a *API) replicasIn(dir *commitlog.Dir, wanted map[kafka.TopicPartition]bool) []wire.DescribeLogDirsResponseDescribeLogDirsTopic {
	var topics []wire.DescribeLogDirsResponseDescribeLogDirsTopic
	for p := range a.Partitions.All() {
		name := p.Name()
		if (wanted != nil && !wanted[name]) || dir.Log(name) != p.Log() {
			continue
		}
		if last := len(topics) - 1; last < 0 || topics[last].Name != name.Topic {
			topics = append(topics, wire.DescribeLogDirsResponseDescribeLogDirsTopic{Name: name.Topic})
		}
		topic := &topics[len(topics)-1]
		topic.Partitions = append(topic.Partitions, wire.DescribeLogDirsResponseDescribeLogDirsPartition{
			PartitionIndex: name.Partition, PartitionSize: p.Log().Size(), OffsetLag: max(p.Log().HighWatermark()-p.Log().EndOffset(), 0),
		})
	}
	return topics
}

// wantedReplicas is the set of partitions that a request names; nil for all.
func wantedReplicas(rq *wire.DescribeLogDirsRequest) map[kafka.TopicPartition]bool {
	if rq.Topics == nil {
		return nil
	}
	wanted := map[kafka.TopicPartition]bool{}
	for _, t := range rq.Topics {
		for _, partition := range t.Partitions {
			wanted[kafka.TopicPartition{Topic: t.Topic, Partition: partition}] = true
		}
	}
	return wanted
}

func idText(id int32) string { return strconv.FormatInt(int64(id), 10) }
