package partition

import (
	"errors"
	"slices"
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
