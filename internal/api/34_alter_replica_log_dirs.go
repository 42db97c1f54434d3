package api

import (
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/wire"
)

// alterReplicaLogDirs answers AlterReplicaLogDirs 1-2 (KIP-113): replicas of this broker begin to move to other log
// directories. The answer does not wait for them: DescribeLogDirs shows how far they are. Of a partition that is named twice
// the last directory counts.
func (a *API) alterReplicaLogDirs(c Call, rq *wire.AlterReplicaLogDirsRequest) {
	paths := map[kafka.TopicPartition]string{}
	topics := map[string]int{} // index in the response
	response := new(wire.AlterReplicaLogDirsResponse)
	for _, dir := range rq.Dirs {
		for _, t := range dir.Topics {
			for _, id := range t.Partitions {
				name := kafka.TopicPartition{Topic: t.Name, Partition: id}
				_, twice := paths[name]
				paths[name] = dir.Path
				if twice {
					continue
				}
				i, there := topics[t.Name]
				if !there {
					i = len(response.Results)
					topics[t.Name] = i
					response.Results = append(response.Results, wire.AlterReplicaLogDirsResponseAlterReplicaLogDirTopicResult{TopicName: t.Name})
				}
				response.Results[i].Partitions = append(response.Results[i].Partitions, wire.AlterReplicaLogDirsResponseAlterReplicaLogDirPartitionResult{PartitionIndex: id})
			}
		}
	}
	for i := range response.Results {
		t := &response.Results[i]
		for j := range t.Partitions {
			name := kafka.TopicPartition{Topic: t.TopicName, Partition: t.Partitions[j].PartitionIndex}
			err := a.Partitions.MoveTo(name, paths[name])
			if err != nil {
				a.Logger.Warn("a replica does not move to another log directory", "partition", name.String(), "to", paths[name], "error", err)
			}
			t.Partitions[j].ErrorCode = codeOf(err)
		}
	}
	c.Reply(response)
}
