package commitlog

// The cleaner-offset-checkpoint says of each log that was compacted where that ended. It may lag, which costs another
// look at what is clean; it must never be ahead of the log, as what comes there later would be taken for clean.

// compactedTo notes how far a compaction came.
func (l *Log) compactedTo(k *compacting) error {
	l.mu.Lock()
	if err := k.going(); err != nil {
		l.mu.Unlock()
		return err
	}
	l.cleaned.Store(k.result.end)
	l.mu.Unlock()
	if err := l.dir.writeCleanerOffsets(); err != nil {
		return k.failed(err)
	}
	return nil
}

func (d *Dir) writeCleanerOffsets() error {
	d.checkpoints.Lock()
	defer d.checkpoints.Unlock()
	return d.writeCleaned()
}

// writeCleaned writes the checkpoint. The caller holds d.checkpoints.
func (d *Dir) writeCleaned() error {
	d.cleanedDue.Store(false)
	var entries []checkpointEntry
	for _, l := range d.Logs() {
		if offset := l.cleaned.Load(); offset > 0 {
			entries = append(entries, checkpointEntry{l.tp, offset})
		}
	}
	err := d.writeOffsets(cleanerOffsetFile, entries)
	if err != nil {
		d.cleanedDue.Store(true)
	}
	return err
}

// lowerCleaned is for a log that is cut to end: what comes there will be dirty. The caller holds l.mu.
func (l *Log) lowerCleaned(end int64) error {
	l.uncleanable.Store(nil) // what was unreadable may be gone
	if l.cleaned.Load() <= end {
		return nil
	}
	l.cleaned.Store(end)
	return l.dir.writeCleanerOffsets()
}
