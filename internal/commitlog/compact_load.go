package commitlog

import (
	"math"
	"os"
	"path/filepath"
	"strings"
)

// unfinished is what a folder has of exchanges of segments that a crash interrupted.
type unfinished struct {
	cleaned  []string // names of .cleaned files
	swaps    []string // names of .swap files
	firstNew int64    // lowest offset among cleaned
}

// finishSwaps brings exchanges of segments to an end, or undoes those that were not ready (Kafka's LogLoader). It is the
// first that looks into a folder, and may be interrupted itself at any step.
func (l *Log) finishSwaps() error {
	left, err := l.unfinished()
	if err != nil || len(left.cleaned)+len(left.swaps) == 0 {
		return err
	}
	var logs, others []int64
	for _, name := range left.swaps {
		base, suffix, ok := parseOffsetName(strings.TrimSuffix(name, swapSuffix))
		switch {
		case !ok || base >= left.firstNew: // of an exchange that was not ready; Kafka splits segments in this way too
			if err := removeIfThere(l.fsys, filepath.Join(l.path, name)); err != nil {
				return err
			}
		case suffix == logSuffix:
			logs = append(logs, base)
		default:
			others = append(others, base)
		}
	}
	// The .cleaned files go last: they say that those .swap files count for nothing.
	if err := l.fsys.SyncDir(l.path); err != nil {
		return err
	}
	for _, name := range left.cleaned {
		if err := removeIfThere(l.fsys, filepath.Join(l.path, name)); err != nil {
			return err
		}
	}
	for _, base := range logs {
		if err := l.finishSwap(base); err != nil {
			return err
		}
	}
	for _, base := range others {
		if err := l.nameSwapped(segmentStem(l.path, base)); err != nil {
			return err
		}
	}
	return l.fsys.SyncDir(l.path)
}

func (l *Log) unfinished() (unfinished, error) {
	left := unfinished{firstNew: math.MaxInt64}
	entries, err := l.fsys.ReadDir(l.path)
	for _, e := range entries {
		name := e.Name()
		if stem, is := strings.CutSuffix(name, cleanedSuffix); is {
			left.cleaned = append(left.cleaned, name)
			if base, _, ok := parseOffsetName(stem); ok {
				left.firstNew = min(left.firstNew, base)
			}
		} else if strings.HasSuffix(name, swapSuffix) {
			left.swaps = append(left.swaps, name)
		}
	}
	return left, err
}

// finishSwap removes what the new segment at base replaces, and gives it its names.
func (l *Log) finishSwap(base int64) error {
	stem := segmentStem(l.path, base)
	next, err := l.swappedEnd(base)
	if err != nil {
		if _, statErr := l.fsys.Stat(stem + logSuffix); statErr == nil {
			// What it was to replace is still there, and better than something that cannot be read.
			l.options().Logger.Error("giving up a compacted segment that cannot be read; the old ones stay", "file", stem+logSuffix+swapSuffix, "error", err)
			return l.dropSwap(stem)
		}
		l.options().Logger.Error("a compacted segment cannot be read", "file", stem+logSuffix+swapSuffix, "error", err)
		next = base + 1
	}
	l.options().Logger.Info("completing an exchange of segments", "partition", l.tp.String(), "file", stem+logSuffix, "from", base, "to", next)
	entries, err := l.fsys.ReadDir(l.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		at, suffix, ok := parseOffsetName(e.Name())
		replaced := ok && at >= base && at < next && !strings.HasSuffix(suffix, swapSuffix)
		if !replaced || at == base && suffix == snapshotSuffix {
			continue
		}
		if err := l.fsys.Remove(filepath.Join(l.path, e.Name())); err != nil {
			return err
		}
	}
	if err := l.fsys.SyncDir(l.path); err != nil {
		return err
	}
	return l.nameSwapped(stem)
}

// dropSwap gives up a replacement, its .log last: that is what makes the others count.
func (l *Log) dropSwap(stem string) error {
	for _, suffix := range segmentSuffixes()[1:] {
		if err := removeIfThere(l.fsys, stem+suffix+swapSuffix); err != nil {
			return err
		}
	}
	if err := l.fsys.SyncDir(l.path); err != nil {
		return err
	}
	return removeIfThere(l.fsys, stem+logSuffix+swapSuffix)
}

// swappedEnd returns the offset after the last batch of a .log.swap.
func (l *Log) swappedEnd(base int64) (next int64, err error) {
	f, err := l.fsys.OpenFile(segmentStem(l.path, base)+logSuffix+swapSuffix, os.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return 0, err
	}
	next = base
	scan := &scanner{file: f, end: size, base: base, buffer: make([]byte, 0, min(size, scanBufferBytes))}
	for position := int64(0); position < size; {
		b, err := scan.header(position)
		if err != nil {
			return 0, err
		}
		next = b.LastOffset() + 1
		position += int64(b.Length())
	}
	return next, nil
}
