package partition

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// in says in which directory the controller takes a topic's replica to be.
func in(dir kafka.UUID, records []wire.Message) []wire.Message {
	for _, r := range records {
		if r, is := r.(*wire.PartitionRecord); is {
			r.Directories = []kafka.UUID{dir}
		}
	}
	return records
}

// A replica whose log was in a directory that is not there is not made anew, unless nobody counts on it or the topic would
// rather lose records; one that is assigned to a directory is made there.
func TestWhereAReplicaIsMade(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil, "/one", "/two")
	defer w.close()
	elsewhere := kafka.UUID{42}
	notCounted := topic("free", 3, 1, self)
	notCounted[1].(*wire.PartitionRecord).Isr = []int32{2}
	w.replay(slices.Concat(in(w.dirs[1].ID(), topic("given", 1, 1, self)), in(elsewhere, topic("missing", 2, 1, self)), in(elsewhere, notCounted))...)
	if got := w.get("given", 0).Dir(); got != w.dirs[1] {
		t.Errorf("made in %s", got.Path())
	}
	if got := w.get("free", 0).Dir(); w.lastAssigned() != got.ID() {
		t.Error("the controller was not told")
	}
	_, err := w.set.Get("missing", 0)
	w.wantCode(err, kafka.KafkaStorageError)
	w.replay(setting("missing", "unclean.leader.election.enable", "true"))
	w.get("missing", 0)
}

// A disk that failed was replaced by an empty one: a replica that counts as in sync, or as an eligible leader, is not made anew, as
// it would be elected with an empty log; it is when nobody counts on it any more.
func TestReplacedDisk(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil, "/one", "/two")
	defer w.close()
	for i, assigned := range []kafka.UUID{metadata.DirectoryLost, {42}} {
		for j, counts := range []func(*wire.PartitionRecord){
			func(r *wire.PartitionRecord) { r.Isr = []int32{self, 2} },
			func(r *wire.PartitionRecord) { r.Isr, r.EligibleLeaderReplicas = []int32{2}, []int32{self, 3} },
			func(r *wire.PartitionRecord) { r.Isr, r.LastKnownElr = []int32{}, []int32{self} },
		} {
			name, id := fmt.Sprintf("t-%d-%d", i, j), byte(1+10*i+j)
			records := in(assigned, topic(name, id, 1, self))
			r := records[1].(*wire.PartitionRecord)
			r.Replicas = []int32{self, 2, 3}
			r.Directories = []kafka.UUID{assigned, {7}, {8}}
			r.Leader = 2
			counts(r)
			w.replay(records...)
			_, err := w.set.Get(name, 0)
			w.wantCode(err, kafka.KafkaStorageError)
			if err == nil || !strings.Contains(err.Error(), "bring that directory back") {
				t.Errorf("%s: nobody is told what to do: %v", name, err)
			}
			w.replay(&wire.PartitionChangeRecord{TopicID: r.TopicID, Isr: []int32{2}, EligibleLeaderReplicas: []int32{}, LastKnownElr: []int32{}, Leader: 2})
			w.get(name, 0)
		}
	}
}

// While a directory is offline, a replica that is not found may be in it. The controller, which may not know, hears so.
func TestReplicaMayBeOffline(t *testing.T) {
	faulty := vfs.Faulty(vfs.NewMemory())
	w := newWorld(t, faulty, nil, "/one", "/two")
	w.replay(in(w.dirs[1].ID(), topic("victim", 1, 1, self))...)
	p := w.get("victim", 0)
	faulty.Add(vfs.Rule{Op: vfs.OpSync, Path: "*.log", Times: 1, Err: errors.New("bad sector")})
	w.wantCode(w.receive(w.await(p, w.append(p, -1, "x").NextOffset)), kafka.KafkaStorageError)
	eventually(t, "the directory is offline", func() bool { return w.set.Offline() == 1 })
	w.set.catchingUp = true // as at a start
	w.replay(slices.Concat(in(metadata.DirectoryUnassigned, topic("anywhere", 2, 1, self)), in(kafka.UUID{42}, topic("gone", 3, 1, self)), in(w.dirs[0].ID(), topic("here", 4, 1, self)))...)
	for _, name := range []string{"anywhere", "gone"} {
		_, err := w.set.Get(name, 0)
		w.wantCode(err, kafka.KafkaStorageError)
	}
	if w.get("here", 0).Dir() != w.dirs[0] {
		t.Error("made elsewhere")
	}
	if w.lastAssigned() != metadata.DirectoryLost {
		t.Errorf("the controller heard of %s", w.lastAssigned())
	}
	w.replay(in(metadata.DirectoryUnassigned, topic("new", 5, 1, self))...)
	w.get("new", 0)
	w.set.Close()
}
