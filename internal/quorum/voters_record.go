package quorum

import (
	"encoding/binary"
	"fmt"
	"iter"
	"time"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/wire"
)

// raftIDTag is the tagged field of a voter in a VotersRecord in which Ottla notes the voter's name inside raft, 8 bytes, if that is
// not the digest of node and directory. Kafka skips tagged fields that it does not know.
const raftIDTag = 10_000

// maxVoters bounds a voter set that is read.
const maxVoters = 1000

// controlRecords yields the control records of a batch; nothing of a batch of data.
func controlRecords(b record.Batch) iter.Seq2[controlEntry, error] {
	return func(yield func(controlEntry, error) bool) {
		if !b.Attributes().Control() {
			return
		}
		for r, err := range b.Records(1 << 20) {
			e := controlEntry{value: r.Value}
			if err == nil {
				e.kind, err = record.ParseControlKey(r.Key)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

type controlEntry struct {
	kind  record.ControlType
	value []byte
}

// hasVoters reports whether a batch has a KRaftVoters record, which makes it a change of the quorum.
func hasVoters(b record.Batch) bool {
	for e, err := range controlRecords(b) {
		if err == nil && e.kind == record.KRaftVoters {
			return true
		}
	}
	return false
}

// after returns what the electorate is after a batch, and whether the batch says anything of it.
func (e electorate) after(b record.Batch) (next electorate, changed bool, err error) {
	for c, err := range controlRecords(b) {
		if err != nil {
			return e, false, err
		}
		switch c.kind {
		case record.KRaftVersion:
			var m wire.KRaftVersionRecord
			if err := m.Decode(wire.NewReader(c.value), 0); err != nil {
				return e, false, err
			}
			if m.KRaftVersion < 0 || m.KRaftVersion > LatestKRaftVersion {
				return e, false, fmt.Errorf("kraft.version %d: this version knows those up to %d", m.KRaftVersion, LatestKRaftVersion)
			}
			e.version, changed = m.KRaftVersion, true
		case record.KRaftVoters:
			if e.voters, err = decodeVoters(c.value); err != nil {
				return e, false, err
			}
			e.logged, changed = true, true
		}
	}
	return e, changed, nil
}

// LatestKRaftVersion is the highest level of kraft.version that this version works with (KIP-853).
const LatestKRaftVersion = 1

func decodeVoters(value []byte) (VoterSet, error) {
	var m wire.VotersRecord
	if err := m.Decode(wire.NewReader(value), 0); err != nil {
		return nil, err
	}
	if len(m.Voters) > maxVoters {
		return nil, fmt.Errorf("%d voters; at most %d are allowed", len(m.Voters), maxVoters)
	}
	members := make([]Member, len(m.Voters))
	for i, v := range m.Voters {
		members[i] = Member{
			Voter:    Voter{v.VoterID, v.VoterDirectoryID},
			MinKRaft: v.KRaftVersionFeature.MinSupportedVersion, MaxKRaft: v.KRaftVersionFeature.MaxSupportedVersion,
		}
		for _, e := range v.Endpoints {
			members[i].Endpoints = append(members[i].Endpoints, Endpoint{e.Name, e.Host, e.Port})
		}
		for _, tag := range v.UnknownTags {
			if tag.Tag == raftIDTag && len(tag.Data) == 8 {
				members[i].raftID = binary.BigEndian.Uint64(tag.Data)
			}
		}
	}
	set := newVoterSet(members)
	return set, set.check()
}

func votersRecord(s VoterSet) *wire.VotersRecord {
	m := &wire.VotersRecord{}
	for _, member := range s {
		v := wire.VotersRecordVoter{
			VoterID: member.NodeID, VoterDirectoryID: member.DirectoryID,
			KRaftVersionFeature: wire.VotersRecordKRaftVersionFeature{MinSupportedVersion: member.MinKRaft, MaxSupportedVersion: member.MaxKRaft},
		}
		for _, e := range member.Endpoints {
			v.Endpoints = append(v.Endpoints, wire.VotersRecordEndpoint{Name: e.Listener, Host: e.Host, Port: e.Port})
		}
		if id := member.RaftID(); id != member.Voter.RaftID() {
			v.UnknownTags = []wire.Tag{{Tag: raftIDTag, Data: binary.BigEndian.AppendUint64(nil, id)}}
		}
		m.Voters = append(m.Voters, v)
	}
	return m
}

// addElectorate adds the control records that say who votes; with kraft.version 0 there are none.
func addElectorate(b *record.Builder, e electorate, ms int64) error {
	if e.version == 0 {
		return nil
	}
	if err := addControl(b, record.KRaftVersion, &wire.KRaftVersionRecord{KRaftVersion: e.version}, ms); err != nil {
		return err
	}
	return addControl(b, record.KRaftVoters, votersRecord(e.voters), ms)
}

// addControl adds a control record of version 0.
func addControl(b *record.Builder, t record.ControlType, m wire.Message, ms int64) error {
	var w wire.Writer
	m.Encode(&w, 0)
	b.AddControl(ms, t, w.Bytes())
	return w.Err()
}

// BootstrapSnapshot makes the file from which a dynamic quorum starts (KIP-853): a snapshot of nothing, at offset 0, whose control
// records name kraft.version 1 and the first voters. Kafka's storage tool writes the same (Formatter.writeDynamicQuorumSnapshot).
func BootstrapSnapshot(voters []Member, now time.Time) ([]byte, error) {
	set := newVoterSet(voters)
	if err := set.check(); err != nil {
		return nil, err
	}
	return buildSnapshot(position{}, now.UnixMilli(), electorate{version: LatestKRaftVersion, voters: set}, func(func([]byte) bool) {}, now)
}

// BootstrapSnapshotName is the name of that file in the folder of the metadata log.
var BootstrapSnapshotName = snapshotName(position{})
