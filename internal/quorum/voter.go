package quorum

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/ottla/ottla/internal/kafka"
)

// Voter is one member of the quorum: a node with one particular log directory. A node whose disk was wiped has
// a new directory id and is another voter (KIP-853), because it has forgotten what it voted and acknowledged.
// Static voters (controller.quorum.voters) have no directory id: nobody knows those of the others. A wiped disk of
// such a node may cost what only it and a lost node had, as in Kafka.
type Voter struct {
	NodeID      int32
	DirectoryID kafka.UUID
}

// RaftID is the voter's name inside raft. It is a digest of node and directory, so every node works it out by
// itself, and because directory ids are random it is never used again for another member.
func (v Voter) RaftID() uint64 {
	b := binary.BigEndian.AppendUint32([]byte("ottla voter "), uint32(v.NodeID))
	sum := sha256.Sum256(append(b, v.DirectoryID[:]...))
	// raft reserves 0 and the two highest numbers.
	return binary.BigEndian.Uint64(sum[:])>>1 | 1
}
