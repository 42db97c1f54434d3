package commitlog

import (
	"fmt"
	"sync"

	"github.com/ottla/ottla/internal/kafka"
)

// Damage is what was found wrong with a log since it was opened, for operators: the log goes on serving what it can.
type Damage struct {
	Partition kafka.TopicPartition
	// Corrupt is the first damage that was found in a file; nil if there is none.
	Corrupt *CorruptionError
	// ReadFailure is the last read that the disk failed; nil if there is none.
	ReadFailure error
	// Refuses says that the log takes no appends, as what is damaged was acknowledged and more may be.
	Refuses bool
	// Kept names files with what a recovery cut though it looked like records: see keepCut.
	Kept []string
}

// String says what is wrong and what to do.
func (d Damage) String() string {
	text := fmt.Sprintf("partition %s", d.Partition)
	if d.Refuses {
		text += " takes no appends"
	}
	if d.Corrupt != nil {
		text += fmt.Sprintf(": %v", d.Corrupt)
	}
	if d.ReadFailure != nil {
		text += fmt.Sprintf(": the disk cannot be read: %v", d.ReadFailure)
	}
	for _, name := range d.Kept {
		text += fmt.Sprintf("; what a recovery cut is kept in %s", name)
	}
	return text + "; check the directory with `ottla storage verify`"
}

// damageNotes are the leaf lock and the state behind Log.Damage.
type damageNotes struct {
	sync.Mutex
	found Damage
	any   bool
	seen  map[place]bool
}

// place is where damage was found; each is told of once.
type place struct {
	file     string
	position int64
}

// maxSeenPlaces bounds what a log with damage all over remembers; more is not told of.
const maxSeenPlaces = 1000

// Damage returns what was found wrong with the log; any is false if nothing was.
func (l *Log) Damage() (found Damage, any bool) {
	l.damage.Lock()
	defer l.damage.Unlock()
	found = l.damage.found
	found.Partition = l.tp
	found.Refuses = l.damagedBelow.Load() > 0
	return found, l.damage.any
}

// noteDamage keeps the first damage and tells of each place once.
func (l *Log) noteDamage(reason *CorruptionError) {
	if l.firstSight(place{reason.File, reason.Position}, func(d *Damage) {
		if d.Corrupt == nil {
			d.Corrupt = reason
		}
	}) {
		l.options().Logger.Error("a log is damaged; `ottla storage verify` checks the log directory", "partition", l.tp.String(), "file", reason.File, "position", reason.Position, "offset", reason.Offset, "reason", reason.Reason)
	}
}

// noteReadFailure keeps the failure of a read. The directory stays online: what others read and write is not in doubt.
func (l *Log) noteReadFailure(err error) {
	l.doubtful.Store(true)
	if l.firstSight(place{file: err.Error()}, func(d *Damage) { d.ReadFailure = err }) {
		l.options().Logger.Error("the disk cannot be read", "partition", l.tp.String(), "error", err)
	}
}

// noteKept keeps the name of a file that keepCut made.
func (l *Log) noteKept(name string) {
	l.firstSight(place{file: name}, func(d *Damage) { d.Kept = append(d.Kept, name) })
}

func (l *Log) firstSight(at place, note func(*Damage)) bool {
	l.damage.Lock()
	defer l.damage.Unlock()
	if l.damage.seen[at] || len(l.damage.seen) >= maxSeenPlaces {
		return false
	}
	if l.damage.seen == nil {
		l.damage.seen = make(map[place]bool)
	}
	l.damage.seen[at] = true
	if !l.damage.any {
		l.damage.any = true
		l.dir.damaged.Add(1)
	}
	note(&l.damage.found)
	return true
}

// forgetDamage is for a log that was emptied.
func (l *Log) forgetDamage() {
	l.damage.Lock()
	defer l.damage.Unlock()
	if l.damage.any {
		l.dir.damaged.Add(-1)
	}
	l.damage.found, l.damage.any, l.damage.seen = Damage{}, false, nil
	l.doubtful.Store(false)
}

// Damages returns what was found wrong with the logs of the directory, by topic and partition.
func (d *Dir) Damages() []Damage {
	if d.damaged.Load() == 0 {
		return nil // as good as always; a look at ten thousand logs is not free
	}
	var all []Damage
	for _, l := range d.Logs() {
		if found, any := l.Damage(); any {
			all = append(all, found)
		}
	}
	return all
}
