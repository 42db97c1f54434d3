package storagecheck

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/ottla/ottla/internal/record"
)

type epochStart struct {
	epoch int32
	start int64
}

// epochs holds leader-epoch-checkpoint against the epochs that the batches carry.
type epochs struct {
	stored  []epochStart
	seen    []epochStart // of the batches
	at      int          // entry of stored that holds for the batch at hand
	broken  bool         // the file cannot be read
	checked bool         // a mismatch was entered
}

func (p *partition) loadEpochs() {
	content, err := readWhole(p.fsys, filepath.Join(p.path, leaderEpochFile), maxTextBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = parseCheckpoint(string(content), func(fields []string) error {
			if len(fields) != 2 {
				return errors.New("want epoch and offset")
			}
			epoch, err := strconv.ParseInt(fields[0], 10, 32)
			start, err2 := strconv.ParseInt(fields[1], 10, 64)
			if err := errors.Join(err, err2); err != nil {
				return err
			}
			if n := len(p.epochs.stored); n > 0 && (int32(epoch) <= p.epochs.stored[n-1].epoch || start <= p.epochs.stored[n-1].start) {
				return fmt.Errorf("epochs and offsets must ascend; the line before has epoch %d at offset %d", p.epochs.stored[n-1].epoch, p.epochs.stored[n-1].start)
			}
			p.epochs.stored = append(p.epochs.stored, epochStart{int32(epoch), start})
			return nil
		})
	}
	if err != nil {
		p.epochs.broken, p.epochs.stored, p.epochsWrong = true, nil, true
		p.add(Rebuilt, p.in(leaderEpochFile), "The next start reads the whole log and writes it anew.", "%v", err)
	}
}

// checkEpoch compares a batch's leader epoch with the checkpoint. What lies above the recovery point after an unclean
// stop is found again by the next start.
func (p *partition) checkEpoch(b record.Batch) {
	e := &p.epochs
	epoch := b.LeaderEpoch()
	if epoch < 0 {
		return
	}
	if n := len(e.seen); n == 0 || e.seen[n-1].epoch < epoch {
		e.seen = append(e.seen, epochStart{epoch, b.BaseOffset()})
	}
	p.lastEpoch = max(p.lastEpoch, epoch)
	offset := max(b.BaseOffset(), p.known.start)
	if b.LastOffset() < p.known.start || e.broken || e.checked || !p.known.clean && b.LastOffset() >= p.known.point {
		return
	}
	for e.at < len(e.stored) && e.stored[e.at].start <= offset {
		e.at++
	}
	stored := int32(-1)
	if e.at > 0 {
		stored = e.stored[e.at-1].epoch
	}
	if stored != epoch {
		e.checked = true
		p.epochsWrong = true
		p.add(Damaged, p.in(leaderEpochFile), "Replicas and consumers that ask where an epoch ends get a wrong answer, and may truncate too little or too much: repair writes the file from the batches.",
			"it says epoch %d at offset %d, where a batch has epoch %d", stored, offset, epoch).offsets(b.BaseOffset(), b.LastOffset())
	}
}

// finishEpochs looks for epochs behind the log's end.
func (p *partition) finishEpochs(end int64) {
	if i := slices.IndexFunc(p.epochs.stored, func(e epochStart) bool { return e.start > end }); i >= 0 && p.known.clean {
		e := p.epochs.stored[i]
		p.add(Rebuilt, p.in(leaderEpochFile), "The next start drops the entry.", "epoch %d begins at offset %d, but the log ends at %d", e.epoch, e.start, end)
	}
}
