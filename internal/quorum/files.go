package quorum

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// Names in the folder of __cluster_metadata-0, besides the log's own. They are Kafka's
// (FileQuorumStateStore, Snapshots).
const (
	stateFile       = "quorum-state"
	temporarySuffix = ".tmp"
	snapshotSuffix  = ".checkpoint"
	offsetDigits    = 20
	epochDigits     = 10
)

// maxStateBytes is more than any quorum-state file has.
const maxStateBytes = 64 << 10

// files are the quorum's files besides the log.
type files struct {
	fs     vfs.FS
	folder string
}

// vote is what a voter must not forget: its term, and whom it voted for in it. It is kept in Kafka's
// quorum-state file (QuorumStateData version 1, as JSON). Kafka with a static quorum (controller.quorum.voters) writes version 0, which
// names no directory.
type vote struct {
	LeaderID         int32  `json:"leaderId"`
	LeaderEpoch      int32  `json:"leaderEpoch"`
	VotedID          int32  `json:"votedId"`
	VotedDirectoryID string `json:"votedDirectoryId"`
	DataVersion      int16  `json:"data_version"`
	// CommittedVoters is the offset of the newest voter set that was in force here. It is Ottla's own: Kafka, which takes a voter
	// set as soon as it is in the log, passes over it.
	CommittedVoters int64 `json:"ottlaCommittedVoters,omitempty"`
}

// noNode is Kafka's word for "nobody" in fields of node ids.
const noNode = -1

// voter returns whom the vote is for; ok is false if it is for nobody.
func (v vote) voter() (voter Voter, ok bool, err error) {
	if v.VotedID == noNode {
		return Voter{}, false, nil
	}
	id, err := kafka.ParseUUID(v.VotedDirectoryID)
	return Voter{v.VotedID, id}, err == nil, err
}

// in returns the vote as version 1, with the directory of who was voted for, as far as voters tell. A vote for somebody else stays
// one for nobody that can be a candidate: the term's vote is spent.
func (v vote) in(voters VoterSet) vote {
	if v.DataVersion == 0 {
		v.DataVersion, v.VotedDirectoryID = 1, kafka.ZeroUUID.String()
		if m, found := voters.Node(v.VotedID); found {
			v.VotedDirectoryID = m.DirectoryID.String()
		}
	}
	return v
}

// readVote reads quorum-state; a new directory has none.
func (f *files) readVote() (vote, error) {
	path := filepath.Join(f.folder, stateFile)
	content, err := f.read(path, maxStateBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return vote{LeaderID: noNode, VotedID: noNode}, nil
	}
	v := vote{LeaderID: noNode, VotedID: noNode, LeaderEpoch: -1, DataVersion: -1} // both must be there
	if err == nil {
		err = json.Unmarshal(content, &v)
	}
	if err == nil && (v.DataVersion < 0 || v.DataVersion > 1 || v.LeaderEpoch < 0) {
		err = fmt.Errorf("data_version %d and leaderEpoch %d; want version 0 or 1 and an epoch of at least 0", v.DataVersion, v.LeaderEpoch)
	}
	if err != nil {
		return v, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

func (f *files) writeVote(v vote) error {
	v.DataVersion = 1
	content, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return f.replace(filepath.Join(f.folder, stateFile), content)
}

// read returns the content of a file of at most limit bytes.
func (f *files) read(path string, limit int64) ([]byte, error) {
	file, err := f.fs.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("%s has %d bytes; at most %d belong there", path, size, limit)
	}
	content := make([]byte, size)
	if n, err := file.ReadAt(content, 0); int64(n) < size {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(err, io.ErrUnexpectedEOF))
	}
	return content, nil
}

// replace puts content at path so that a crash leaves either the old file or the new one.
func (f *files) replace(path string, content []byte) error {
	temporary := path + temporarySuffix
	file, err := f.fs.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if _, err = file.WriteAt(content, 0); err == nil {
		err = file.SyncData()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := f.fs.Rename(temporary, path); err != nil {
		return err
	}
	return f.fs.SyncDir(f.folder)
}
