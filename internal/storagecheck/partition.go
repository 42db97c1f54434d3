package storagecheck

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/producerstate"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// partition is the check of one partition's folder.
type partition struct {
	findings
	Counts
	fsys  vfs.FS
	path  string
	tp    kafka.TopicPartition
	name  string // of the folder
	known known
	redo  *logRedo // what the redo journal has of it, or nil
	topic *topic   // what the metadata log says of it; nil if that was not there to read
	step  func(bytes int64)

	r, offsetReader, timeReader *reader

	segments  []segment
	snapshots []int64 // ascending
	unchecked []int64 // those that the replay has not reached

	expected  int64 // the next offset
	lastEpoch int32
	holes     []hole
	gaps      []hole // offsets that no batch has: lost, or taken out by compaction
	gapCount  int
	thinned   bool // compaction was here
	filled    bool // a repair was: an empty batch stands for lost records

	producers    *producerstate.Table
	exact        bool  // the replay knows all producers and transactions
	replayedFrom int64 // where it began
	epochs       epochs
	transactions Transactions
	statuses     map[string]status // by transactional id: those of __transaction_state that have not ended

	// What a repair needs beside holes and gaps.
	wrong       []string // derived files that are to go
	txnIndexes  map[string][]aborted
	epochsWrong bool
	beyond      *hole // between the end of the log and where it should end
	startsAt    int64 // log start that the checkpoint should say, None if that is right
	end         int64
}

func (p *partition) in(file string) string { return filepath.Join(p.name, file) }

func (p *partition) progress(bytes int64) {
	p.Bytes += bytes
	if p.step != nil {
		p.step(bytes)
	}
}

func (p *partition) wrongFile(name string) { p.wrong = append(p.wrong, name) }

func (p *partition) wrongTxnIndex(s *segment, txn *txnCheck) {
	if p.txnIndexes == nil {
		p.txnIndexes = map[string][]aborted{}
	}
	p.txnIndexes[s.file(txnIndexSuffix)] = txn.all(p.exact, p.replayedFrom)
}

// check reads the partition.
func (p *partition) check() {
	p.lastEpoch = record.NoLeaderEpoch
	p.expected, p.startsAt = None, None
	if err := p.list(); err != nil {
		p.add(Damaged, p.name, "Nothing of the partition could be checked.", "%v", err)
		return
	}
	p.checkIdentity()
	p.loadEpochs()
	p.newTable()
	p.checkBeginning()
	for i := range p.segments {
		p.walkSegment(i)
	}
	p.end = max(p.expected, p.known.start, 0)
	p.checkSnapshots(p.expected)
	p.noteOpen()
	p.checkEnd()
	p.finishEpochs(p.end)
	if p.tp == metadataPartition {
		p.checkQuorumFiles()
	}
	p.judgeHoles()
	p.judgeGaps()
	p.close()
}

// list sorts what is in the folder.
func (p *partition) list() error {
	entries, err := p.fsys.ReadDir(p.path)
	if err != nil {
		return err
	}
	var old leftovers
	for _, e := range entries {
		name := e.Name()
		base, suffix, numbered := parseOffsetName(name)
		size := sizeOf(e)
		switch what, severity := leftoverOf(name); {
		case what != "":
			old.add(what, severity, name, size)
		case numbered && suffix == logSuffix:
			p.segments = append(p.segments, segment{base: base, size: size, next: None})
		case numbered && suffix == snapshotSuffix:
			p.snapshots = append(p.snapshots, base)
		case numbered && (suffix == offsetIndexSuffix || suffix == timeIndexSuffix || suffix == txnIndexSuffix):
		case name == partitionFile || name == leaderEpochFile:
		case p.tp.Topic == kafka.MetadataTopic && p.isQuorumFile(name):
		default:
			p.add(Leftover, p.in(name), "It is left alone.", "nothing of a partition has such a name")
		}
	}
	old.enter(p)
	slices.SortFunc(p.segments, func(a, b segment) int { return cmp.Compare(a.base, b.base) })
	slices.Sort(p.snapshots)
	p.unchecked = p.snapshots
	for i := range len(p.segments) - 1 {
		p.segments[i].next = p.segments[i+1].base
	}
	for _, e := range entries {
		p.checkOrphan(e.Name())
	}
	return nil
}

// checkOrphan is for index files without a segment. The active segment's may be there before its first record.
func (p *partition) checkOrphan(name string) {
	base, suffix, ok := parseOffsetName(name)
	if !ok || suffix != offsetIndexSuffix && suffix != timeIndexSuffix && suffix != txnIndexSuffix {
		return
	}
	_, found := slices.BinarySearchFunc(p.segments, base, func(s segment, base int64) int { return cmp.Compare(s.base, base) })
	if !found {
		p.add(Leftover, p.in(name), "It goes when the broker writes a segment with that base.", "there is no segment that it belongs to")
		p.wrongFile(name)
	}
}

func sizeOf(e fs.DirEntry) int64 {
	info, err := e.Info()
	if err != nil {
		return 0
	}
	return info.Size()
}

// checkIdentity reads partition.metadata and compares the topic id with the metadata log's.
func (p *partition) checkIdentity() {
	content, err := readWhole(p.fsys, filepath.Join(p.path, partitionFile), maxTextBytes)
	if errors.Is(err, fs.ErrNotExist) {
		p.add(Rebuilt, p.in(partitionFile), "The broker takes the partition for the topic of that name and writes the file.", "it is missing")
		return
	}
	var id kafka.UUID
	if err == nil {
		id, err = parseTopicID(string(content))
	}
	if err != nil {
		p.add(Rebuilt, p.in(partitionFile), "The broker takes the partition for the topic of that name and writes the file anew.", "%v", err)
		return
	}
	if p.topic == nil || p.tp.Topic == kafka.MetadataTopic || id.IsZero() {
		return
	}
	const outcome = "The broker sets the partition aside when it has caught up with the cluster: its folder gets a name that ends with -stray, and is kept. If the topic was not deleted, the metadata log is not the one that belongs here."
	switch {
	case !p.topic.exists:
		p.add(Leftover, p.name, outcome, "the metadata log has no topic %s: it was deleted", p.tp.Topic)
	case p.topic.id != id:
		p.add(Leftover, p.name, outcome, "it belongs to topic id %s; the metadata log says that topic %s has %s: it was deleted and made again", id, p.tp.Topic, p.topic.id)
	}
}

func parseTopicID(text string) (kafka.UUID, error) {
	if err := checkSumLine(text, "crc32c: "); err != nil {
		return kafka.ZeroUUID, err
	}
	version := ""
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(line, "version:"); ok {
			version = strings.TrimSpace(v)
		}
		if id, ok := strings.CutPrefix(line, "topic_id:"); ok {
			if version != "0" {
				return kafka.ZeroUUID, fmt.Errorf("version is %q, want 0", version)
			}
			return kafka.ParseUUID(strings.TrimSpace(id))
		}
	}
	return kafka.ZeroUUID, errors.New("it has no topic_id")
}

// checkBeginning compares the first segment with where the log should start.
func (p *partition) checkBeginning() {
	if len(p.segments) == 0 {
		return
	}
	first := &p.segments[0]
	if p.known.hasStart && p.known.start < first.base {
		p.missing(hole{segment: 0, first: p.known.start, next: first.base, epoch: record.NoLeaderEpoch})
	}
	if p.known.hasStart && p.known.start < first.base {
		p.startsAt = first.base
	}
	if reach := max(p.known.point, p.known.start); !p.known.clean && first.base > reach {
		outcome := "The next start takes the whole log for never durable and drops it: repair notes its beginning in " + logStartFile + "."
		if p.known.proven > reach {
			outcome = "The next start takes the log for damaged and refuses appends to the partition: repair notes its beginning in " + logStartFile + "."
		}
		p.add(Damaged, p.in(first.file(logSuffix)), outcome,
			"the log begins at offset %d, but the checkpoints say %d, after an unclean stop", first.base, reach).offsets(first.base, first.base)
		p.startsAt = first.base
	}
}

// checkEnd compares the end of the log with the checkpoints.
func (p *partition) checkEnd() {
	file := p.name
	if n := len(p.segments); n > 0 {
		file = p.in(p.segments[n-1].file(logSuffix))
	}
	if first := p.end; !p.known.clean && p.known.proven > max(first, p.known.point) {
		p.add(Lost, file, "The next start refuses appends to the partition: repair keeps the offsets taken.",
			"the log ends at offset %d, and the redo journal proves that it was acknowledged up to %d", first, p.known.proven).offsets(first, p.known.proven-1)
		p.end = p.known.proven
		p.beyond = &hole{segment: len(p.segments) - 1, first: first, next: p.end, epoch: p.lastEpoch}
	} else if p.known.point > first {
		p.add(Lost, file, "The broker goes on at the log's end and gives these offsets to other records: repair keeps them taken.",
			"the log ends at offset %d, its recovery point is %d", first, p.known.point).offsets(first, p.known.point-1)
		p.end = p.known.point
		p.beyond = &hole{segment: len(p.segments) - 1, first: first, next: p.end, epoch: p.lastEpoch}
	}
	if p.known.high > p.end {
		severity, outcome := Rebuilt, "The broker lowers the high watermark. Records that were committed are missing if the topic has write.caching=true and the power failed; none are if the log was truncated to its leader's."
		if p.known.clean {
			severity, outcome = Lost, "The broker goes on at the log's end and gives these offsets to other records: repair keeps them taken."
			if p.beyond == nil {
				p.beyond = &hole{segment: len(p.segments) - 1, first: p.end, epoch: p.lastEpoch}
			}
			p.beyond.next = p.known.high
		}
		p.add(severity, file, outcome, "the log ends at offset %d, its high watermark is %d", p.end, p.known.high).offsets(p.end, p.known.high-1)
	}
}

// vouchedHigh is the high watermark if nothing may be missing below it.
func (p *partition) vouchedHigh() int64 {
	if p.known.clean {
		return p.known.high
	}
	return 0
}
