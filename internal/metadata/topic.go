package metadata

import "github.com/ottla/ottla/internal/kafka"

// Topic is a topic and its partitions. It is never changed.
type Topic struct {
	Name       string
	ID         kafka.UUID
	Partitions []*Partition // by partition number, without gaps
	owner      *edit        // of the topic and of the slice
}

// Partition returns a partition by its number, or nil.
func (t *Topic) Partition(id int32) *Partition {
	if t == nil || id < 0 || int(id) >= len(t.Partitions) {
		return nil
	}
	return t.Partitions[id]
}
