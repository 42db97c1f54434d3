package history

import (
	"encoding/json"
	"path"
	"sync"
	"time"

	"github.com/ottla/ottla/internal/vfs"
)

// Votes is who led the metadata quorum, and what the voters' disks said of it then: a leader of an epoch was elected by a majority, each
// of which has written its vote down before it gave it, or has gone on to a later epoch.
type Votes struct {
	mu struct {
		sync.Mutex
		judged map[int32]bool // epochs
		faults faults
	}
}

// Vote is what a voter has written down; the zero value is that of a voter without the file.
type Vote struct {
	Epoch int32 `json:"leaderEpoch"`
	For   int32 `json:"votedId"`
}

// NewVotes returns an empty history.
func NewVotes() *Votes {
	v := new(Votes)
	v.mu.judged = map[int32]bool{}
	return v
}

// ReadVote reads quorum-state under a metadata log directory.
func ReadVote(disk vfs.FS, dir string) (v Vote) {
	content, err := readFile(disk, path.Join(dir, "__cluster_metadata-0", "quorum-state"))
	if err != nil || json.Unmarshal(content, &v) != nil {
		return Vote{}
	}
	return v
}

// Leads notes that a node said of itself that it leads an epoch, and what all voters have written down now.
func (v *Votes) Leads(leader, epoch int32, written []Vote, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if leader < 0 || v.mu.judged[epoch] {
		return
	}
	v.mu.judged[epoch] = true
	n := 0
	for _, w := range written {
		if w.Epoch > epoch || w.Epoch == epoch && w.For == leader {
			n++
		}
	}
	if 2*n <= len(written) {
		v.mu.faults.add("node %d leads the metadata quorum in epoch %d at %s, and the votes on the voters' disks are %v", leader, epoch, clock(now), written)
	}
}

// Faults is what is wrong.
func (v *Votes) Faults() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.mu.faults
}
