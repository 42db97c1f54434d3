package quorum

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/wire"
)

// leaderChange makes the batch that stands for raft's empty entry, the first of every term. raft does not say
// who granted the vote, so GrantingVoters names the leader alone. It is version 0, without the voters' directories, because Kafka's
// tools read no other (ControlRecordUtils.LEADER_CHANGE_CURRENT_VERSION).
func leaderChange(at position, leader Voter, voters VoterSet, now time.Time) (record.Batch, error) {
	m := wire.LeaderChangeMessage{LeaderID: leader.NodeID}
	for _, v := range voters {
		m.Voters = append(m.Voters, wire.LeaderChangeMessageVoter{VoterID: v.NodeID})
	}
	m.GrantingVoters = []wire.LeaderChangeMessageVoter{{VoterID: leader.NodeID}}
	return control(at, record.LeaderChange, &m, 0, now.UnixMilli())
}

// control makes a batch of one control record at the offset and term of a position.
func control(at position, t record.ControlType, m wire.Message, version int16, ms int64) (record.Batch, error) {
	var w wire.Writer
	m.Encode(&w, version)
	if err := w.Err(); err != nil {
		return nil, err
	}
	b := record.NewBuilder(record.BatchOptions{BaseOffset: at.offset, LeaderEpoch: int32(at.term), Control: true})
	b.AddControl(ms, t, w.Bytes())
	return b.Build()
}

// indexTag is the tagged field of a SnapshotHeaderRecord in which Ottla notes where a snapshot ends: raft's
// index of the last entry in it and the offset after that, as unsigned varints. Kafka's tools skip tagged
// fields that they do not know.
const indexTag = 10_000

// snapshotHeader makes the first batch of a snapshot that ends at p: the header, and who votes there.
func snapshotHeader(p position, lastTimestamp int64, e electorate) (record.Batch, error) {
	m := wire.SnapshotHeaderRecord{LastContainedLogTimestamp: lastTimestamp}
	if p.index > 0 {
		tag := binary.AppendUvarint(nil, p.index)
		tag = binary.AppendUvarint(tag, uint64(p.offset))
		m.UnknownTags = []wire.Tag{{Tag: indexTag, Data: tag}}
	}
	b := record.NewBuilder(record.BatchOptions{LeaderEpoch: int32(p.term), Control: true})
	if err := addControl(b, record.SnapshotHeader, &m, lastTimestamp); err != nil {
		return nil, err
	}
	if err := addElectorate(b, e, lastTimestamp); err != nil {
		return nil, err
	}
	return b.Build()
}

// parseSnapshotHeader returns where the snapshot ends that begins with b. A snapshot of Kafka's does not say; it ends where its
// name says, and stands for as many entries as offsets (tagged is false).
func parseSnapshotHeader(b record.Batch, name position) (p position, tagged bool, err error) {
	m, err := controlRecord(b, record.SnapshotHeader)
	if err != nil {
		return position{}, false, err
	}
	var header wire.SnapshotHeaderRecord
	if err := header.Decode(wire.NewReader(m), 0); err != nil {
		return position{}, false, err
	}
	for _, tag := range header.UnknownTags {
		if tag.Tag != indexTag {
			continue
		}
		index, n := binary.Uvarint(tag.Data)
		offset, k := binary.Uvarint(tag.Data[max(n, 0):])
		if n <= 0 || k <= 0 || int64(offset) < 0 || b.LeaderEpoch() < 0 {
			return position{}, false, fmt.Errorf("the snapshot's header does not say which raft index it ends at")
		}
		return position{index: index, term: uint64(b.LeaderEpoch()), offset: int64(offset)}, true, nil
	}
	return position{index: uint64(name.offset), term: name.term, offset: name.offset}, false, nil
}

// controlRecord returns the value of the one control record of a batch, which must have the given type.
func controlRecord(b record.Batch, want record.ControlType) ([]byte, error) {
	if !b.Attributes().Control() {
		return nil, fmt.Errorf("a batch of data where a %s record should be", want)
	}
	for r, err := range b.Records(1 << 20) {
		if err != nil {
			return nil, err
		}
		t, err := record.ParseControlKey(r.Key)
		if err == nil && t != want {
			err = fmt.Errorf("a %s record where %s should be", t, want)
		}
		return r.Value, err
	}
	return nil, fmt.Errorf("an empty batch where a %s record should be", want)
}
