package producerstate

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

var rewrite = flag.Bool("rewrite", false, "write what the scripts answer into them")

// world is a log with its table, driven by a script. A line of a script is a command; lines with ">"
// below it are what it answers. Commands:
//
//	produce id=1 epoch=0 seq=0 count=3 [txn] [ts=9] [guard=1] [origin=coordinator|replication]
//	marker id=1 epoch=0 commit|abort coord=5 [tv=2] [ts=9] [origin=replication]
//	verify id=1 epoch=0 seq=0 [bump]      asks for a guard
//	hw 7 | start 7                        high watermark, log start
//	expire now=100 ms=50
//	snapshot                              keeps and draws the file, as Kafka would write it
//	snapshot whole                        keeps and draws the file as it is
//	truncate to=7 now=0                   loads the newest snapshot and replays the log
//	state
//
// The answers of all scripts but resent were recorded from Kafka 4.3.1's ProducerStateManager (testdata/Scripts.java).
type world struct {
	table     *Table
	log       []record.Batch
	start     int64
	snapshots map[int64][]byte
}

const neverExpires = 1 << 40

func newWorld() *world {
	return &world{table: New(kafka.TopicPartition{Topic: "t", Partition: 3}), snapshots: map[int64][]byte{}}
}

func (w *world) end() int64 {
	if len(w.log) == 0 {
		return 0
	}
	return w.log[len(w.log)-1].LastOffset() + 1
}

// command is a parsed line.
type command struct {
	name  string
	words map[string]string
}

func parse(line string) command {
	fields := strings.Fields(line)
	c := command{fields[0], map[string]string{}}
	for _, f := range fields[1:] {
		key, value, _ := strings.Cut(f, "=")
		c.words[key] = value
	}
	return c
}

func (c command) has(word string) bool { _, ok := c.words[word]; return ok }

func (c command) int(word string) int64 {
	text, ok := c.words[word]
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func (w *world) run(line string) string {
	c := parse(line)
	switch c.name {
	case "produce":
		return w.produce(c)
	case "marker":
		m := record.EndTxnMarker{Commit: c.has("commit"), CoordinatorEpoch: int32(c.int("coord")), Timestamp: c.int("ts")}
		return w.append(m.Batch(c.int("id"), int16(c.int("epoch"))), c)
	case "verify":
		guard, err := w.table.StartVerification(c.int("id"), int16(c.int("epoch")), int32(c.int("seq")), c.has("bump"), 0)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("guard %d", guard)
	case "hw":
		w.table.SetHighWatermark(number(line))
	case "start":
		w.start = number(line)
		w.table.AdvanceStart(w.start)
	case "expire":
		w.table.Expire(c.int("now"), c.int("ms"))
		return "producers " + strconv.Itoa(w.table.Len())
	case "snapshot":
		file := w.table.Snapshot()
		if !c.has("whole") {
			file = asKafka(file)
		}
		w.snapshots[w.table.End()] = file
		return fmt.Sprintf("%x", file)
	case "truncate":
		return w.truncate(c.int("to"), c.int("now"))
	case "state":
		return w.state()
	default:
		return "unknown command " + c.name
	}
	return "done"
}

func number(line string) int64 {
	n, err := strconv.ParseInt(strings.Fields(line)[1], 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func (w *world) produce(c command) string {
	b := record.NewBuilder(record.BatchOptions{
		Producer:      &record.Producer{ID: c.int("id"), Epoch: int16(c.int("epoch")), Sequence: int32(c.int("seq"))},
		Transactional: c.has("txn"),
	})
	for range c.int("count") {
		b.Add(c.int("ts"), nil, nil)
	}
	batch, err := b.Build()
	if err != nil {
		return err.Error()
	}
	return w.append(batch, c)
}

// append does what a log does with a batch.
func (w *world) append(b record.Batch, c command) string {
	how := Append{Origin: record.Client, TransactionVersion: int16(c.int("tv")), Verify: c.has("guard"), Guard: Guard(c.int("guard"))}
	switch {
	case c.words["origin"] == "replication":
		how.Origin = record.Replication
	case c.words["origin"] == "coordinator", c.name == "marker":
		how.Origin = record.Coordinator
	}
	before := w.state()
	dup, duplicate, err := w.table.Check(b, w.end(), how)
	if after := w.state(); before != after {
		return "Check changed the table from " + before + " to " + after
	}
	if err != nil {
		return err.Error()
	}
	if duplicate {
		return fmt.Sprintf("duplicate of %d-%d @%d", dup.FirstOffset, dup.LastOffset, dup.Timestamp)
	}
	b.SetBaseOffset(w.end())
	done, ended, err := w.table.Update(b)
	if err != nil {
		return err.Error()
	}
	w.log = append(w.log, b)
	text := fmt.Sprintf("at %d-%d", b.BaseOffset(), b.LastOffset())
	if ended {
		text += fmt.Sprintf(" ended %d from %d to %d stable %d aborted %t", done.ProducerID, done.FirstOffset, done.LastOffset, done.LastStableOffset, done.Aborted)
	}
	return text
}

// truncate does what a log does when it loses its end: reload and replay.
func (w *world) truncate(to, now int64) string {
	w.log = slices.DeleteFunc(w.log, func(b record.Batch) bool { return b.LastOffset() >= to })
	from := int64(-1)
	for at := range w.snapshots {
		if at > to || at <= w.start {
			delete(w.snapshots, at)
		} else {
			from = max(from, at)
		}
	}
	if w.table.End() == to {
		w.table.AdvanceStart(w.start)
		return w.state()
	}
	if from < 0 {
		from = w.start
		w.table.Reset(from)
	} else if err := w.table.Load(w.snapshots[from], from, now, neverExpires); err != nil {
		return err.Error()
	}
	for _, b := range w.log {
		if b.BaseOffset() >= from {
			if _, _, err := w.table.Update(b); err != nil {
				return err.Error()
			}
		}
	}
	return w.state()
}

func (w *world) state() string {
	var out strings.Builder
	fmt.Fprintf(&out, "end %d unstable %s undecided %s", w.table.End(), offset(w.table.FirstUnstableOffset()), offset(w.table.FirstUndecidedOffset()))
	for _, p := range w.table.Producers() {
		fmt.Fprintf(&out, "; %d epoch %d seq %d @%d coord %d txn %d", p.ProducerID, p.ProducerEpoch, p.LastSequence, p.LastTimestamp, p.CoordinatorEpoch, p.CurrentTxnStartOffset)
	}
	return out.String()
}

func offset(o int64, ok bool) string {
	if !ok {
		return "-"
	}
	return strconv.FormatInt(o, 10)
}

func TestScripts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil || len(files) < 6 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(string(script))
			if *rewrite {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(script), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// replay runs the commands of a script and returns it with our answers.
func replay(script string) string {
	var out strings.Builder
	w := newWorld()
	for line := range strings.Lines(script) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, ">") {
			continue
		}
		out.WriteString(line + "\n")
		if line == "new log" {
			w = newWorld()
		} else if line != "" && !strings.HasPrefix(line, "#") {
			out.WriteString("> " + w.run(line) + "\n")
		}
	}
	return out.String()
}
