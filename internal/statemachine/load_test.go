package statemachine_test

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
	"github.com/ottla/ottla/internal/statemachine/memlog"
)

var quiet = slog.New(slog.DiscardHandler)

// reload runs a fresh machine over the bench's log.
func (b *bench) reload() (*bench, error) {
	next := &bench{t: b.t, log: b.log, machine: newRegister()}
	next.engine = statemachine.New(next.machine, next.log, statemachine.Options{Name: "register-0", Logger: quiet})
	return next, next.engine.Load()
}

func TestLoadReplaysTheLog(t *testing.T) {
	b := newBench(t, statemachine.Options{})
	b.set("1", "a", "x")
	b.do("2", func(*register) output {
		return output{Records: []statemachine.Record{record("b", "committed")}, Producer: &statemachine.Producer{ID: 7, Epoch: 1}}
	})
	b.do("3", func(*register) output {
		return output{Records: []statemachine.Record{record("c", "aborted")}, Producer: &statemachine.Producer{ID: 8}}
	})
	for id, commit := range map[int64]bool{7: true, 8: false} {
		b.do("marker", func(*register) output {
			return output{Marker: &statemachine.Marker{Producer: statemachine.Producer{ID: id}, Commit: commit}}
		})
	}
	b.set("5", "d", "last")
	for _, m := range []string{"live", "loaded"} {
		if got := b.machine.values; len(got) != 3 || got["a"] != "x" || got["b"] != "committed" || got["d"] != "last" {
			t.Errorf("%s: %v", m, got)
		}
		if last := b.machine.offsets[len(b.machine.offsets)-1]; last != 5 {
			t.Errorf("%s: last record replayed at offset %d, want 5", m, last)
		}
		var err error
		if b, err = b.reload(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadsAfterLoadWaitForTheCommitOfWhatWasLoaded(t *testing.T) {
	b := newBench(t, statemachine.Options{})
	b.log.Hold()
	b.set("1", "a", "x")
	b.engine.Stop(kafka.NotCoordinator)
	b.expect("1: NOT_COORDINATOR")
	b, err := b.reload()
	if err != nil {
		t.Fatal(err)
	}
	b.get("2", "a")
	b.expect()
	b.log.Release()
	b.expect("2 a=x")
}

func TestLoadNamesTheOffsetOfWhatItCannotRead(t *testing.T) {
	for name, spoil := range map[string]func(b *bench){
		"batch at offset 1: ":          func(b *bench) { b.log.Batches()[1][65] ^= 1 },
		"record at offset 2: poisoned": func(b *bench) { b.engine.Stop(kafka.NotCoordinator); poison(t, b.log) },
	} {
		b := newBench(t, statemachine.Options{})
		b.set("1", "a", "x")
		b.set("2", "a", "y")
		spoil(b)
		_, err := b.reload()
		if err == nil || !strings.Contains(err.Error(), "loading register-0: "+name) {
			t.Errorf("load: %v, want %q", err, name)
		}
	}
}

// poison appends a record that a register cannot replay.
func poison(t *testing.T, log *memlog.Log) {
	b := &bench{t: t, log: log, machine: newRegister()}
	b.engine = statemachine.New(b.machine, log, statemachine.Options{Logger: quiet})
	if err := b.engine.Load(); err != nil {
		t.Fatal(err)
	}
	b.set("poison", "poison", "")
}

func TestHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, gate := memlog.New(), make(chan struct{})
		host := statemachine.NewHost("offsets", func(int32, int32) *register { return newRegister() }, statemachine.Options{Logger: quiet})
		code := func(partition int32) kafka.ErrorCode {
			_, err := host.Get(partition)
			return kafka.CodeOf(err)
		}
		expect := func(want kafka.ErrorCode) {
			t.Helper()
			synctest.Wait()
			if got := code(3); got != want {
				t.Errorf("Get: %v, want %v", got, want)
			}
		}
		expect(kafka.NotCoordinator)
		log.OnLoad(func() { <-gate })
		host.Lead(3, 5, log)
		expect(kafka.CoordinatorLoadInProgress)
		close(gate)
		expect(kafka.None)

		first, _ := host.Get(3)
		host.Lead(3, 5, log) // old news
		if again, _ := host.Get(3); again != first {
			t.Error("the same epoch made another engine")
		}
		host.Lead(3, 6, log)
		expect(kafka.None)
		if again, _ := host.Get(3); again == first || kafka.CodeOf(first.Err()) != kafka.NotCoordinator {
			t.Errorf("a newer epoch kept the engine; the old one's state: %v", first.Err())
		}
		n := 0
		for partition, e := range host.All() {
			n++
			e.Do(func(m *register, _ time.Time) output { return output{} }, func(err error) { t.Error(partition, err) })
		}
		if n != 1 {
			t.Errorf("All yields %d engines, want 1", n)
		}
		host.Resign(3)
		expect(kafka.NotCoordinator)
		host.Stop(kafka.CoordinatorNotAvailable)
		host.Lead(3, 7, log)
		expect(kafka.CoordinatorNotAvailable)
	})
}

func TestHostKeepsServingOthersWhenALogIsCorrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad, good := memlog.New(), memlog.New()
		poison(t, bad)
		host := statemachine.NewHost("offsets", func(int32, int32) *register { return newRegister() }, statemachine.Options{Logger: quiet})
		host.Lead(0, 1, bad)
		host.Lead(1, 1, good)
		synctest.Wait()
		if _, err := host.Get(0); kafka.CodeOf(err) != kafka.NotCoordinator || !strings.Contains(err.Error(), "poisoned") {
			t.Errorf("Get of the corrupt one: %v", err)
		}
		if _, err := host.Get(1); err != nil {
			t.Error(err)
		}
	})
}

func TestResignDuringLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, gate := memlog.New(), make(chan struct{})
		poison(t, log)
		log.OnLoad(func() { <-gate })
		machine := newRegister()
		host := statemachine.NewHost("offsets", func(int32, int32) *register { return machine }, statemachine.Options{Logger: quiet})
		host.Lead(0, 1, log)
		synctest.Wait()
		host.Resign(0)
		close(gate)
		synctest.Wait()
		if len(machine.offsets) > 0 || machine.stopped != nil {
			t.Errorf("a resigned partition was replayed (%v) or its machine told (%v)", machine.offsets, machine.stopped)
		}
	})
}
