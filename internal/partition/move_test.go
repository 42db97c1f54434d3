package partition

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

var t0 = kafka.TopicPartition{Topic: "t"}

// elsewhere is a directory in which the partition is not.
func (w *world) elsewhere(p *Partition) int {
	return slices.IndexFunc(w.dirs, func(d *commitlog.Dir) bool { return d != p.Dir() })
}

func (w *world) move(p *Partition, to int) {
	w.t.Helper()
	if err := w.set.MoveTo(p.Name(), w.dirs[to].Path()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) moved(p *Partition, to int) {
	w.t.Helper()
	eventually(w.t, "the replica has moved", func() bool {
		return p.Dir() == w.dirs[to] && w.set.mover.of(p) == nil
	})
}

// numbers are the values 0 to n-1.
func numbers(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprint(i)
	}
	return all
}

// A replica goes back and forth between directories while a producer and a consumer are at work: each record is there once,
// in its place, and everybody is told that it is.
func TestMoveUnderLoad(t *testing.T) {
	disk := vfs.NewMemory()
	w := newWorld(t, disk, nil, "/one", "/two")
	w.replay(append(topic("t", 1, 1, self), setting("t", "segment.bytes", "20000"))...)
	p := w.get("t", 0)
	var stop atomic.Bool
	var clients sync.WaitGroup
	sent := 0
	clients.Go(func() {
		for ; !stop.Load() || sent < 500; sent++ {
			done := w.append(p, -1, fmt.Sprint(sent))
			if done.BaseOffset != int64(sent) {
				t.Errorf("record %d got offset %d", sent, done.BaseOffset)
			}
			if sent%7 == 0 {
				if err := w.receive(w.await(p, done.NextOffset)); err != nil {
					t.Errorf("record %d: %v", sent, err)
				}
			}
		}
	})
	clients.Go(func() {
		for !stop.Load() {
			for i, value := range w.values(p) {
				if value != fmt.Sprint(i) {
					t.Errorf("offset %d has %s", i, value)
					return
				}
			}
		}
	})
	for range 4 {
		to := w.elsewhere(p)
		w.move(p, to)
		w.moved(p, to)
		eventually(t, "the old log is gone", func() bool { return w.dirs[1-to].Log(t0) == nil })
		if w.lastAssigned() != w.dirs[to].ID() {
			t.Error("the controller was not told")
		}
	}
	stop.Store(true)
	clients.Wait()
	if err := w.receive(w.await(p, int64(sent))); err != nil {
		t.Fatal(err)
	}
	if got := w.values(p); !slices.Equal(got, numbers(sent)) {
		t.Errorf("%d records of %d", len(got), sent)
	}
	image := w.image
	w.close()
	again := newWorld(t, disk, image, "/one", "/two")
	if got := again.values(again.get("t", 0)); !slices.Equal(got, numbers(sent)) {
		t.Errorf("after a restart %d records of %d", len(got), sent)
	}
	again.close()
}

func TestMoveToTellsWhyNot(t *testing.T) {
	faulty := vfs.Faulty(vfs.NewMemory())
	w := newWorld(t, faulty, nil, "/one", "/two", "/three")
	defer w.set.Close()
	w.replay(slices.Concat(topic("t", 1, 3, self), topic("theirs", 2, 1, 2))...)
	f := func(topic string, path string, want kafka.ErrorCode) {
		t.Helper()
		if err := w.set.MoveTo(kafka.TopicPartition{Topic: topic}, path); kafka.CodeOf(err) != want {
			t.Errorf("%s to %s: %v, want %v", topic, path, err, want)
		}
	}
	f("t", "/nowhere", kafka.LogDirNotFound)
	f(strings.Repeat("t", 249), "/one", kafka.InvalidTopicException)
	f("none", "/two", kafka.UnknownTopicOrPartition)
	f("theirs", "/two", kafka.ReplicaNotAvailable)
	f("t", w.get("t", 0).Dir().Path(), kafka.None)
	w.cordoned.Store(w.dirs[1], true)
	f("t", "/two", kafka.InvalidReplicaAssignment)
	w.cordoned.Delete(w.dirs[1])

	// What was asked for before the replica came is remembered once.
	w.replay(topic("none", 3, 4, self)...)
	if got := w.get("none", 0).Dir(); got != w.dirs[1] {
		t.Errorf("the replica was made in %s", got.Path())
	}

	victim := slices.IndexFunc(numbers(3), func(n string) bool { return w.get("t", int32(n[0]-'0')).Dir() == w.dirs[2] })
	p := w.get("t", int32(victim))
	faulty.Add(vfs.Rule{Op: vfs.OpSync, Path: "*.log", Times: 1, Err: errors.New("bad sector")})
	w.wantCode(w.receive(w.await(p, w.append(p, -1, "x").NextOffset)), kafka.KafkaStorageError)
	eventually(t, "the directory is offline", func() bool { return w.set.Offline() > 0 })
	f("t", "/three", kafka.KafkaStorageError)
	other := w.get("t", int32((victim+1)%3))
	if err := w.set.MoveTo(other.Name(), w.dirs[w.elsewhere(other)].Path()); kafka.CodeOf(err) != kafka.KafkaStorageError {
		t.Errorf("a move while a directory is offline: %v", err)
	}
	if err := w.set.MoveTo(p.Name(), "/one"); kafka.CodeOf(err) != kafka.KafkaStorageError {
		t.Errorf("an offline replica: %v", err)
	}
}

// A move that has not ended can be called off, or sent elsewhere: the controller hears the truth, and copies go.
func TestMoveIsCalledOff(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil, "/one", "/two", "/three")
	w.replay(topic("t", 1, 1, self)...)
	p := w.get("t", 0)
	w.append(p, 1, numbers(100)...)
	home := p.Dir()
	w.assigned.deaf = true
	w.move(p, 1)
	eventually(t, "the copy is complete", func() bool { return w.lastAssigned() == w.dirs[1].ID() })
	if to, future := w.set.Moving(p); to != w.dirs[1] || future.EndOffset() != 100 {
		t.Errorf("moving to %v", to)
	}
	w.move(p, 2)
	eventually(t, "the copy is complete", func() bool { return w.lastAssigned() == w.dirs[2].ID() })
	if w.dirs[1].Count() != 0 || p.Dir() != home {
		t.Errorf("%d logs in the directory that is not the target any more", w.dirs[1].Count())
	}
	w.move(p, 2) // is under way
	w.move(p, 0)
	if to, _ := w.set.Moving(p); to != nil || w.dirs[2].Count() != 0 || w.lastAssigned() != home.ID() {
		t.Errorf("called off: moving to %v, %d logs there", to, w.dirs[2].Count())
	}
	w.move(p, 1)
	w.replay(&wire.RemoveTopicRecord{TopicID: kafka.UUID{1}})
	if n := w.dirs[0].Count() + w.dirs[1].Count(); n != 0 {
		t.Errorf("%d logs of a deleted topic", n)
	}
	w.close()
}

// While the rate is 0 nothing goes on; when it is raised, or the move called off, nobody waits longer for that.
func TestMoveRate(t *testing.T) {
	w := newWorld(t, vfs.NewMemory(), nil, "/one", "/two")
	defer w.close()
	w.replay(append(topic("t", 1, 1, self), setting("t", "segment.bytes", "2000000"))...)
	p := w.get("t", 0)
	for range 100 {
		w.append(p, 1, strings.Repeat("x", 10_000))
	}
	w.rate.Store(0)
	w.move(p, 1)
	_, future := w.set.Moving(p)
	eventually(t, "the first chunk is copied", func() bool { return future.EndOffset() > 0 })
	if end := future.EndOffset(); end > 10 {
		t.Errorf("%d records are copied at once at a rate of nothing", end)
	}
	w.rate.Store(1 << 40)
	w.moved(p, 1)
}

func TestPace(t *testing.T) {
	var c pace
	now := time.Unix(1000, 0)
	if got := c.pause(now, 1000, 100); got != 10*time.Second {
		t.Errorf("1000 bytes at 100 a second: %v", got)
	}
	if got := c.pause(now.Add(4*time.Second), 500, 100); got != 11*time.Second {
		t.Errorf("500 more after 4 s: %v", got)
	}
	if got := c.pause(now.Add(5*time.Second), 0, 1000); got != 100*time.Millisecond {
		t.Errorf("at ten times the rate one second later: %v", got)
	}
	if got := c.pause(now.Add(5*time.Second), 0, 0); got != pacePatience {
		t.Errorf("at no rate: %v", got)
	}
	if got := c.pause(now.Add(6*time.Second), 1<<30, 1<<62); got != 0 {
		t.Errorf("without a limit: %v", got)
	}
}

// The directory to which a replica moves fails: it stays where it is. That from which it moves fails: it is offline.
func TestDirectoryFailsDuringAMove(t *testing.T) {
	for _, failing := range []string{"source", "target"} {
		t.Run(failing, func(t *testing.T) {
			disk := vfs.NewMemory()
			w := newWorld(t, disk, nil, "/one", "/two")
			w.replay(topic("t", 1, 1, self)...)
			p := w.get("t", 0)
			w.append(p, 1, numbers(10)...)
			w.assigned.deaf = true
			w.move(p, 1)
			eventually(t, "the copy is complete", func() bool { return w.lastAssigned() == w.dirs[1].ID() })
			path := map[string]string{"source": "/one", "target": "/two"}[failing]
			w.set.DirectoryFailed(path, errors.New("bad sector"))
			if w.lastAssigned() != w.dirs[0].ID() {
				t.Error("the controller still takes the replica to be in the new directory")
			}
			_, err := w.set.Get("t", 0)
			if failing == "source" {
				w.wantCode(err, kafka.KafkaStorageError)
			} else if err != nil || p.Gone() != nil {
				t.Error(err, p.Gone())
			}
			w.close()
		})
	}
}
