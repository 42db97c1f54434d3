package api

import (
	"strconv"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// describeLogDirs answers DescribeLogDirs 1-5: the size of each replica, by log directory, and of copies of replicas that
// move there. Null topics mean all. Version 4 adds the space of the volume (KIP-827), 5 whether a directory is cordoned
// (KIP-1066).
func (a *API) describeLogDirs(c Call, rq *wire.DescribeLogDirsRequest) {
	response := new(wire.DescribeLogDirsResponse)
	replicas := a.replicasByDir(wantedReplicas(rq))
	for _, dir := range a.Partitions.Dirs() {
		result := wire.DescribeLogDirsResponseDescribeLogDirsResult{LogDir: dir.Path(), TotalBytes: -1, UsableBytes: -1}
		if dir.Failed() != nil {
			result.ErrorCode = int16(kafka.KafkaStorageError)
		} else {
			result.Topics = replicas[dir]
			result.IsCordoned = c.version >= 5 && a.Partitions.Cordoned(dir)
			if free, total, err := dir.Space(); err == nil {
				result.UsableBytes, result.TotalBytes = free, total
			}
		}
		response.Results = append(response.Results, result)
	}
	c.Reply(response)
}

// replicasByDir lists the replicas that the request asks for.
func (a *API) replicasByDir(wanted map[kafka.TopicPartition]bool) map[*commitlog.Dir][]wire.DescribeLogDirsResponseDescribeLogDirsTopic {
	all := map[*commitlog.Dir][]wire.DescribeLogDirsResponseDescribeLogDirsTopic{}
	add := func(dir *commitlog.Dir, topic string, p wire.DescribeLogDirsResponseDescribeLogDirsPartition) {
		topics := all[dir]
		if last := len(topics) - 1; last < 0 || topics[last].Name != topic {
			topics = append(topics, wire.DescribeLogDirsResponseDescribeLogDirsTopic{Name: topic})
		}
		last := &topics[len(topics)-1]
		last.Partitions = append(last.Partitions, p)
		all[dir] = topics
	}
	for p := range a.Partitions.All() {
		name, log := p.Name(), p.Log()
		if wanted != nil && !wanted[name] {
			continue
		}
		add(p.Dir(), name.Topic, wire.DescribeLogDirsResponseDescribeLogDirsPartition{
			PartitionIndex: name.Partition, PartitionSize: log.Size(), OffsetLag: max(log.HighWatermark()-log.EndOffset(), 0),
		})
		if to, future := a.Partitions.Moving(p); future != nil {
			add(to, name.Topic, wire.DescribeLogDirsResponseDescribeLogDirsPartition{
				PartitionIndex: name.Partition, PartitionSize: future.Size(), OffsetLag: log.EndOffset() - future.EndOffset(), IsFutureKey: true,
			})
		}
	}
	return all
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
