package statemachine_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/statemachine"
)

type output = statemachine.Output

func TestAnswersWaitForTheCommit(t *testing.T) {
	b := newBench(t, statemachine.Options{})
	b.log.Hold()
	b.get("before", "a")
	b.expect("before a=")
	b.set("1", "a", "x")
	b.set("2", "a", "y")
	b.get("3", "a")
	b.expect() // the read saw what is not committed
	b.log.Commit(1)
	b.expect("1 ok")
	b.log.Commit(2)
	b.expect("2 ok", "3 a=y")
	b.get("4", "a")
	b.expect("4 a=y")
}

func TestRecordsOfAStepAreOneBatch(t *testing.T) {
	b := newBench(t, statemachine.Options{})
	b.set("1", "a", "x")
	b.do("2", func(*register) output {
		return output{Records: []statemachine.Record{record("b", "1"), record("c", "2"), {Key: []byte("a")}}}
	})
	b.expect("1 ok", "2 ok")
	if batches := b.log.Batches(); len(batches) != 2 || batches[1].Count() != 3 {
		t.Errorf("%d batches, want the second with 3 records", len(batches))
	}
	if want := []int64{0, 1, 2, 3}; !slices.Equal(b.machine.offsets, want) {
		t.Errorf("replayed offsets %v, want %v", b.machine.offsets, want)
	}
	if _, there := b.machine.values["a"]; there {
		t.Error("a tombstone did not arrive as one")
	}
}

func TestFailedAppendChangesNothing(t *testing.T) {
	b := newBench(t, statemachine.Options{Errors: statemachine.CoordinatorError})
	b.log.Hold()
	b.set("1", "a", "x")
	b.log.FailAppends(kafka.Errorf(kafka.NotEnoughReplicas, "1 of 2 in sync"))
	b.set("2", "a", "y")
	b.expect("2: COORDINATOR_NOT_AVAILABLE: NOT_ENOUGH_REPLICAS: 1 of 2 in sync")
	b.log.FailAppends(nil)
	b.get("3", "a")
	b.set("4", "b", "z")
	b.log.Release()
	b.expect("1 ok", "3 a=x", "4 ok")
	if want := []int64{0, 1}; !slices.Equal(b.machine.offsets, want) {
		t.Errorf("replayed offsets %v, want %v", b.machine.offsets, want)
	}
}

func TestBatchOverTheLimitFailsItsStepAlone(t *testing.T) {
	b := newBench(t, statemachine.Options{MaxBatchBytes: 200})
	b.set("1", "a", strings.Repeat("x", 200))
	b.set("2", "a", "x")
	if len(b.heard) != 2 || !strings.HasPrefix(b.heard[0], "1: RECORD_LIST_TOO_LARGE") || b.heard[1] != "2 ok" {
		t.Errorf("answers %q", b.heard)
	}
}

func TestFailedCommitStopsTheEngine(t *testing.T) {
	b := newBench(t, statemachine.Options{Errors: statemachine.CoordinatorError})
	b.log.Hold()
	b.set("1", "a", "x")
	b.get("2", "a")
	b.log.FailCommits(kafka.Errorf(kafka.KafkaStorageError, "disk gone"))
	b.expect("1: NOT_COORDINATOR: KAFKA_STORAGE_ERROR: disk gone", "2 a=x: NOT_COORDINATOR: KAFKA_STORAGE_ERROR: disk gone")
	b.set("3", "a", "y")
	b.expect("3 refused: NOT_COORDINATOR: KAFKA_STORAGE_ERROR: disk gone")
	if kafka.CodeOf(b.machine.stopped) != kafka.NotCoordinator || b.engine.Err() == nil {
		t.Errorf("machine stopped with %v, engine with %v", b.machine.stopped, b.engine.Err())
	}
}

func TestStopInsideAStep(t *testing.T) {
	b := newBench(t, statemachine.Options{})
	gone := errors.New("gone")
	b.do("1", func(*register) output {
		b.set("2", "a", "y") // queued: the machine is busy
		b.engine.Stop(gone)
		if b.machine.stopped != nil {
			t.Error("the machine was told to stop in the middle of a step")
		}
		return output{}
	})
	b.expect("2 refused: gone", "1: gone")
	if b.machine.stopped != gone {
		t.Errorf("machine stopped with %v", b.machine.stopped)
	}
	b.engine.Stop(errors.New("again"))
	if b.engine.Err() != gone {
		t.Errorf("the first reason is replaced by %v", b.engine.Err())
	}
}

func TestUnreplayableOwnRecordStopsTheEngine(t *testing.T) {
	b := newBench(t, statemachine.Options{})
	b.set("1", "poison", "")
	b.set("2", "a", "x")
	const text = ": UNKNOWN_SERVER_ERROR: register-0: replaying offset 0: poisoned"
	b.expect("1"+text, "2 refused"+text)
}

func TestPanickingStepStopsTheEngine(t *testing.T) {
	b := newBench(t, statemachine.Options{})
	func() {
		defer func() { recover() }()
		b.do("1", func(*register) output { panic("oops") })
	}()
	b.set("2", "a", "x")
	b.expect("2 refused: UNKNOWN_SERVER_ERROR: register-0: a step did not return")
}

func TestThenMayStartSteps(t *testing.T) {
	b := newBench(t, statemachine.Options{})
	b.do("1", func(*register) output {
		return output{
			Records: []statemachine.Record{record("a", "x")},
			Then:    []func(error){func(error) { b.get("2", "a") }},
		}
	})
	b.expect("1 ok", "2 a=x")
}

// TestStepsFromManyGoroutines: one step at a time, every step answered once, each goroutine's in its order.
func TestStepsFromManyGoroutines(t *testing.T) {
	b := newBench(t, statemachine.Options{})
	const callers, each = 8, 500
	inside := 0
	answered := make([][]int, callers)
	var steps, calls sync.WaitGroup
	steps.Add(callers * each)
	for c := range callers {
		calls.Go(func() {
			for n := range each {
				b.engine.Do(func(*register, time.Time) output {
					inside++
					if inside != 1 {
						t.Error("two steps at once")
					}
					inside--
					return output{
						Records: []statemachine.Record{record("k", "v")},
						Then: []func(error){func(error) {
							answered[c] = append(answered[c], n)
							steps.Done()
						}},
					}
				}, func(err error) { t.Error(err) })
			}
		})
	}
	calls.Wait()
	steps.Wait()
	for c := range callers {
		if len(answered[c]) != each || !slices.IsSorted(answered[c]) {
			t.Errorf("caller %d: %d answers, sorted %v", c, len(answered[c]), slices.IsSorted(answered[c]))
		}
	}
	if end := b.log.End(); end != callers*each {
		t.Errorf("log ends at %d, want %d", end, callers*each)
	}
}
