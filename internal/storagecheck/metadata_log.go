package storagecheck

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
	"github.com/ottla/ottla/internal/wire"
)

// topic is what the metadata log says of a topic.
type topic struct {
	exists    bool
	id        kafka.UUID
	compacted bool // cleanup.policy has compact, or had
}

// topics are those of the cluster.
type topics struct {
	byName map[string]*topic
	byID   map[kafka.UUID]string
}

func (t *topics) of(name string) *topic {
	if t == nil {
		return nil
	}
	if found := t.byName[name]; found != nil {
		return found
	}
	return &topic{}
}

func (t *topics) named(name string) *topic {
	found := t.byName[name]
	if found == nil {
		found = new(topic)
		t.byName[name] = found
	}
	return found
}

// topicResource is Kafka's ConfigResource.Type.TOPIC.
const topicResource = 2

func (t *topics) replay(m wire.Message) {
	switch m := m.(type) {
	case *wire.TopicRecord:
		found := t.named(m.Name)
		found.exists, found.id = true, m.TopicID
		t.byID[m.TopicID] = m.Name
	case *wire.RemoveTopicRecord:
		if name, known := t.byID[m.TopicID]; known {
			t.named(name).exists = false
			delete(t.byID, m.TopicID)
		}
	case *wire.ConfigRecord:
		if m.ResourceType == topicResource && m.Name == "cleanup.policy" && m.Value != nil && strings.Contains(*m.Value, "compact") {
			t.named(m.ResourceName).compacted = true
		}
	}
}

var metadataPartition = kafka.TopicPartition{Topic: kafka.MetadataTopic}

// readTopics replays the newest snapshot and the log of __cluster_metadata-0, as far as they can be read; nil if the
// directory does not have it.
func readTopics(fsys vfs.FS, dir string) *topics {
	folder := filepath.Join(dir, metadataPartition.String())
	entries, err := fsys.ReadDir(folder)
	if err != nil {
		return nil
	}
	t := &topics{byName: map[string]*topic{}, byID: map[kafka.UUID]string{}}
	snapshot, from := "", int64(0)
	var logs []string
	for _, e := range entries { // sorted by name, which sorts by offset
		if offset, _, ok := parseCheckpointName(e.Name()); ok {
			snapshot, from = e.Name(), offset
		}
		if _, suffix, ok := parseOffsetName(e.Name()); ok && suffix == logSuffix {
			logs = append(logs, e.Name())
		}
	}
	r := new(reader)
	if snapshot != "" && t.replayFile(r, fsys, filepath.Join(folder, snapshot), 0) != nil {
		return nil // the rest means nothing without it
	}
	for _, name := range logs {
		if t.replayFile(r, fsys, filepath.Join(folder, name), from) != nil {
			break
		}
	}
	return t
}

// replayFile replays the batches of a file from an offset on.
func (t *topics) replayFile(r *reader, fsys vfs.FS, path string, from int64) error {
	if err := r.open(fsys, path); err != nil {
		return err
	}
	defer r.end()
	for position := int64(0); position < r.size; {
		b, err := r.batch(position, bounds{limit: math.MaxInt64})
		if err != nil {
			return err
		}
		if b.BaseOffset() >= from && !b.Attributes().Control() {
			for rec, err := range b.Records(0) {
				if err != nil {
					return err
				}
				if m, _, err := wire.DecodeMetadataRecord(rec.Value); err == nil {
					t.replay(m)
				}
			}
		}
		position += int64(b.Length())
	}
	return nil
}

// isQuorumFile reports whether a file of the metadata log's folder is the quorum's, and not the log's.
func (p *partition) isQuorumFile(name string) bool {
	_, _, snapshot := parseCheckpointName(name)
	return snapshot || name == quorumStateFile
}

// checkQuorumFiles is for the folder of the metadata log.
func (p *partition) checkQuorumFiles() {
	p.checkQuorumState()
	entries, err := p.fsys.ReadDir(p.path)
	if err != nil {
		return
	}
	newest := int64(0)
	var broken Finding
	for _, e := range entries {
		offset, epoch, ok := parseCheckpointName(e.Name())
		if !ok {
			continue
		}
		newest = max(newest, offset)
		if broken.Problem != "" { // a newer one follows it
			broken.Severity, broken.Outcome = Leftover, "A newer snapshot stands for it."
			p.put(broken)
			broken = Finding{}
		}
		if err := p.checkMetadataSnapshot(e.Name(), epoch); err != nil {
			broken = Finding{File: p.in(e.Name()), Position: None, Bytes: None, FirstOffset: None, LastOffset: None, Problem: err.Error()}
		}
	}
	if broken.Problem != "" {
		broken.Severity, broken.Outcome = Damaged, "The broker does not start with it. If the log still begins at offset 0, or an older snapshot is there, move this one away; else take it from another controller."
		p.put(broken)
	}
	if start := max(p.known.start, p.replayedFrom); start > newest {
		p.add(Lost, p.name, "The broker does not start: take the folder from another controller or from a copy.", "the metadata log begins at offset %d, but the newest snapshot ends at %d", start, newest).offsets(newest, start-1)
	}
}

// checkQuorumState reads the vote.
func (p *partition) checkQuorumState() {
	content, err := readWhole(p.fsys, filepath.Join(p.path, quorumStateFile), maxTextBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var state struct {
		LeaderEpoch *int32 `json:"leaderEpoch"`
		DataVersion *int16 `json:"data_version"`
	}
	if err == nil {
		err = json.Unmarshal(content, &state)
	}
	if err == nil && (state.LeaderEpoch == nil || *state.LeaderEpoch < 0 || state.DataVersion == nil) {
		err = errors.New("leaderEpoch or data_version is missing or wrong")
	}
	if err != nil {
		p.add(Damaged, p.in(quorumStateFile), "The broker does not start with it. A single controller may start without the file; one of several would forget whom it voted for.", "%v", err)
	}
}

// checkMetadataSnapshot reads one snapshot: a header, records, a footer, at offsets from 0 on.
func (p *partition) checkMetadataSnapshot(name string, epoch int32) error {
	if err := p.r.open(p.fsys, filepath.Join(p.path, name)); err != nil {
		if pe, is := errors.AsType[*fs.PathError](err); is {
			return pe.Err
		}
		return err
	}
	defer p.r.end()
	last := record.ControlType(-1)
	next := int64(0)
	for position := int64(0); position < p.r.size; {
		b, err := p.r.batch(position, bounds{least: next, limit: math.MaxInt64})
		if err == nil && last == record.SnapshotFooter {
			err = errors.New("it goes on after its footer")
		}
		if err == nil {
			err = b.CheckRecords(0)
		}
		if err == nil && b.LeaderEpoch() > epoch {
			err = fmt.Errorf("a batch has epoch %d, the name says %d", b.LeaderEpoch(), epoch)
		}
		if err == nil && (position == 0 || b.Attributes().Control()) {
			var first record.ControlType
			if first, last, err = controlTypes(b); err == nil && position == 0 && first != record.SnapshotHeader {
				err = fmt.Errorf("it begins with a %s record, not with its header", first)
			}
		}
		if err != nil {
			return fmt.Errorf("at position %d: %s", position, reasonOf(err))
		}
		next = b.LastOffset() + 1
		position += int64(b.Length())
	}
	if last != record.SnapshotFooter {
		return errors.New("its footer is missing: it was not written to its end")
	}
	return nil
}

// controlTypes are those of the first and last record of a control batch. The header of a snapshot comes together with the records
// of kraft.version and the voters.
func controlTypes(b record.Batch) (first, last record.ControlType, err error) {
	first, last = -1, -1
	if !b.Attributes().Control() {
		return first, last, errors.New("a batch of data where a control record should be")
	}
	for r, err := range b.Records(1 << 20) {
		if err == nil {
			last, err = record.ParseControlKey(r.Key)
		}
		if err != nil {
			return first, last, err
		}
		if first < 0 {
			first = last
		}
	}
	return first, last, nil
}
