package group

import (
	"encoding/binary"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/wire"
)

// maxConsumerProtocol is the newest version of the subscriptions and assignments that consumers of the classic protocol
// exchange (org.apache.kafka.clients.consumer.internals.ConsumerProtocol). What claims to be newer is read as this one.
const maxConsumerProtocol = 3

// protocolVersion is the version that the metadata of a consumer begins with.
func protocolVersion(b []byte) (int16, error) {
	if len(b) < 2 {
		return 0, kafka.Errorf(kafka.InconsistentGroupProtocol, "Malformed embedded consumer protocol in version deserialization.")
	}
	version := int16(binary.BigEndian.Uint16(b))
	if version < 0 {
		return 0, kafka.Errorf(kafka.InconsistentGroupProtocol, "Unsupported subscription version: %d", version)
	}
	return min(version, maxConsumerProtocol), nil
}

// readSubscription reads what a consumer of the classic protocol says when it joins.
func readSubscription(b []byte) (*wire.ConsumerProtocolSubscription, error) {
	version, err := protocolVersion(b)
	if err != nil {
		return nil, err
	}
	s := new(wire.ConsumerProtocolSubscription)
	if err := s.Decode(wire.NewReader(b[2:]), version); err != nil {
		return nil, kafka.Errorf(kafka.InconsistentGroupProtocol, "Malformed embedded consumer protocol in subscription deserialization.")
	}
	return s, nil
}

// ownedBy are the partitions that a subscription says its consumer owns; those of topics that do not exist are left out.
func ownedBy(im *metadata.Image, s *wire.ConsumerProtocolSubscription) partitions {
	owned := partitions{}
	for _, t := range s.OwnedPartitions {
		if topic := im.Topic(t.Topic); topic != nil {
			owned[topic.ID] = append(owned[topic.ID], t.Partitions...)
		}
	}
	return owned
}

// readAssignment reads what a leader gave a consumer of the classic protocol. Custom data of its assignor would be lost.
func readAssignment(im *metadata.Image, b []byte) (partitions, error) {
	assigned := partitions{}
	if len(b) == 0 {
		return assigned, nil
	}
	version, err := protocolVersion(b)
	if err != nil {
		return nil, err
	}
	var a wire.ConsumerProtocolAssignment
	if err := a.Decode(wire.NewReader(b[2:]), version); err != nil {
		return nil, err
	}
	if len(a.UserData) > 0 {
		return nil, kafka.Errorf(kafka.UnsupportedVersion, "userData from a custom assignor would be lost")
	}
	for _, t := range a.AssignedPartitions {
		if topic := im.Topic(t.Topic); topic != nil {
			assigned[topic.ID] = sortedIDs(append(assigned[topic.ID], t.Partitions...))
		}
	}
	return assigned, nil
}

// writeAssignment is the form in which a consumer of the classic protocol gets its partitions, in the version of its
// subscription.
func writeAssignment(im *metadata.Image, p partitions, metadata []byte) []byte {
	version, err := protocolVersion(metadata)
	if err != nil {
		version = 0
	}
	var a wire.ConsumerProtocolAssignment
	for _, id := range topicsInOrder(p) {
		if topic := im.TopicByID(id); topic != nil && len(p[id]) > 0 {
			a.AssignedPartitions = append(a.AssignedPartitions, wire.ConsumerProtocolAssignmentTopicPartition{Topic: topic.Name, Partitions: p[id]})
		}
	}
	var w wire.Writer
	a.Encode(&w, version)
	return append(binary.BigEndian.AppendUint16(nil, uint16(version)), w.Bytes()...)
}
