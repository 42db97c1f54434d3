package commitlog

import (
	"github.com/ottla/ottla/internal/vfs"
)

// write puts the ranges that suit it into the journal, as far as there is room, and marks them journaled when they are
// durable. What is not marked is to be flushed in place. Only the flusher calls it.
func (j *journal) write(logs []*Log) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := &j.mu
	s.rounds++
	begun, entries := 0, 0 // of the frame: the first of logs that may be in it
	frame := s.frame
	for i, l := range logs {
		w := &l.flushing
		// Who left the journal meanwhile changes what was about to be written.
		if w.length == 0 || w.left != l.left.Load() {
			continue
		}
		e := w.entry(l.tp)
		size := entrySize(&e)
		if len(frame)+size > maxFrameBytes || !j.fits(int64(len(frame)+size)) {
			if err := j.writeFrame(frame, logs[begun:i], entries); err != nil {
				return err
			}
			begun, entries, frame = i, 0, s.frame
			if room, err := j.room(int64(len(frame) + size)); err != nil || !room {
				s.counts.refused++
				return err
			}
		}
		var err error
		frame = appendEntry(frame, &e)
		if frame, err = w.appendBytes(frame); err != nil {
			return err
		}
		w.taken = true
		entries++
		j.note(l)
	}
	if err := j.writeFrame(frame, logs[begun:], entries); err != nil {
		return err
	}
	j.prepareNext()
	return nil
}

// note remembers that the current generation has entries of a log. The caller holds j.mu.
func (j *journal) note(l *Log) {
	if l.journaledIn != j.mu.generation {
		l.journaledIn = j.mu.generation
		file := &j.mu.files[fileOf(j.mu.generation)]
		file.logs = append(file.logs, l)
	}
}

// writeFrame makes a frame durable and marks those of logs whose entries are in it. The caller holds j.mu.
func (j *journal) writeFrame(frame []byte, logs []*Log, entries int) error {
	if entries == 0 {
		return nil
	}
	err := j.commit(frame, entries)
	if vfs.IsNoSpace(err) {
		return nil // a file system that writes nothing where it was before; the round goes on in place
	}
	if err != nil {
		return err
	}
	for _, l := range logs {
		l.flushing.journaled = l.flushing.taken
	}
	j.mu.counts.entries += entries
	return nil
}

// leaveJournal is called before anything changes in the log's segments that the journal may have: everything that is durable
// is so in place when it returns, and no redo will touch the segments for what was written before. It may wait for a round of
// the flusher's. After an error nothing may be changed. The caller holds l.mu.
func (l *Log) leaveJournal() error {
	if l.dir.journal == nil {
		return nil
	}
	if l.unsettled.Load() != noOffset {
		for _, s := range l.list() {
			if s.synced >= s.journaled {
				continue
			}
			if err := s.syncLog(); err != nil {
				l.dir.fail(err)
				return err
			}
			s.synced = s.journaled
		}
		l.unsettled.Store(noOffset)
	}
	if err := l.dir.journal.forget(l); err != nil {
		if !vfs.IsNoSpace(err) {
			l.dir.fail(err)
		}
		return err
	}
	for _, s := range l.list() {
		s.journaled = 0
	}
	return nil
}

// forget makes recoveries pass over what the journal has of logs so far. Callers that still need that made it durable in place.
func (j *journal) forget(logs ...*Log) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, l := range logs {
		l.left.Add(1)
	}
	for len(logs) > 0 {
		frame, entries, n := j.mu.frame, 0, 0
		for ; n < len(logs) && len(frame) < maxFrameBytes/2; n++ {
			if in := logs[n].journaledIn; in != 0 && in >= j.mu.durable {
				frame = appendEntry(frame, &journalEntry{forget: true, tp: logs[n].tp})
				entries++
			}
		}
		if entries > 0 {
			if err := j.commit(frame, entries); err != nil {
				return err
			}
			j.mu.counts.forgets += entries
		}
		for _, l := range logs[:n] {
			l.journaledIn = 0
		}
		logs = logs[n:]
	}
	return nil
}
