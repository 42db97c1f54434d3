package storagecheck

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ottla/ottla/internal/kafka"
)

// of returns what the journal has of a partition, or nil.
func (j *journal) of(partition string) *logRedo {
	if j == nil {
		return nil
	}
	return j.redo[partition]
}

// readJournal reads the redo journal and says what the next start does with it.
func (d *directory) readJournal() {
	if d.clean {
		for _, name := range d.journalNames {
			d.add(Leftover, name, "The next start removes it: after a clean stop the segments have all.", "a file of the redo journal")
		}
		return
	}
	j, err := openJournal(d.fsys, d.path)
	if err == nil && j != nil {
		if err = j.fitAll(d); err == nil {
			d.journal = j
			d.sayJournal(j)
			return
		}
		_ = j.close() // it was only read
	}
	switch {
	case err != nil:
		d.journalLost = true
		d.add(Damaged, journalName(0), "The next start fails with it, as what the segments lack may be here alone. Copy the directory to another disk, as far as it can be read, and check the copy.", "the redo journal cannot be read: %v", err)
	case len(d.journalNames) > 0:
		d.add(Leftover, d.journalNames[0], "The next start removes it.", "without %s it is no redo journal", journalName(0))
	}
}

// fitAll finds out what the logs of a directory lack.
func (j *journal) fitAll(d *directory) error {
	j.lacking = make([]bool, len(j.frames))
	if err := j.readEntries(); err != nil {
		return err
	}
	for _, tp := range d.folders {
		if err := j.fit(d.fsys, tp.String(), d.knownOf(tp).point); err != nil {
			return err
		}
	}
	return j.findTorn()
}

// damaged reports whether something acknowledged cannot be read.
func (j *journal) damaged() bool { return j.blank || len(j.gaps) > 0 }

func (d *directory) sayJournal(j *journal) {
	if j.blank {
		d.add(Damaged, journalName(0), "The next start redoes nothing of it. If the power did not fail the segments have all; if it did they may lack what was acknowledged last.", "both heads are damaged, so that the frames of the redo journal cannot be told from those of an older one").at(0, journalHeads)
		return
	}
	if j.heads > 0 {
		d.add(Rebuilt, journalName(0), "The next start takes another one, and removes the journal when it is redone.", "%d heads of the redo journal are damaged", j.heads)
	}
	for i := range j.files {
		d.sayJournalFile(j, i)
	}
	for _, f := range j.frames {
		if f.mask != 0 {
			d.sayFlipped(j, f)
		}
	}
	for _, g := range j.gaps {
		d.sayGap(j, g)
	}
	if f := j.torn; f != nil {
		d.add(Leftover, journalName(f.file), "Nothing of it was acknowledged.", "frame %d, of %d bytes, was not written to its end", f.sequence, f.length).at(f.position, int64(f.length))
	}
	for _, name := range slices.Sorted(maps.Keys(j.redo)) {
		d.sayMissing(j.redo[name])
	}
}

// sayJournalFile counts the frames of a file.
func (d *directory) sayJournalFile(j *journal, i int) {
	if j.files[i] == nil {
		return
	}
	redone, applied := 0, 0
	for n, f := range j.frames {
		switch {
		case f.file != i:
		case j.lacking[n]:
			redone++
		default:
			applied++
		}
	}
	severity, outcome := Leftover, "The next start removes it: the segments have all."
	if redone > 0 {
		severity, outcome = Rebuilt, "The next start puts into the segments what they lack of it, and removes it. The rest of this report takes that for done."
	}
	d.add(severity, journalName(i), outcome, "a file of the redo journal, %d bytes: segments lack something of %d frames, of %d they have all, %d are given up", j.sizes[i], redone, applied, j.retired[i])
}

// sayMissing is for a log whose segments lack what the journal has.
func (d *directory) sayMissing(r *logRedo) {
	if r.missing == 0 {
		return
	}
	bases := slices.Sorted(maps.Keys(r.patches))
	first := r.patches[bases[0]][0]
	x := d.add(Rebuilt, fmt.Sprintf("%s/%s", r.tp, offsetName(bases[0])+logSuffix), "The next start puts it there. The rest of this report takes that for done.", "%d bytes that were acknowledged are in the redo journal only", r.missing)
	x.at(first.position, r.missing).offsets(r.first, r.next-1)
	x.Partition = r.tp.String()
}

// sayFlipped is for a frame that is whole but for a bit.
func (d *directory) sayFlipped(j *journal, f frame) {
	b, err := j.load(f)
	if err != nil {
		return // it was read a moment ago
	}
	var entries []journalEntry
	_ = parseEntries(b, f, func(e journalEntry) { entries = append(entries, e) }) // it was mended because they are good
	hit := slices.IndexFunc(entries, func(e journalEntry) bool { return f.flipped < f.position+int64(e.at+e.length) })
	if f.flipped < f.position+frameHeadSize || hit < 0 {
		hit = -1
	}
	x := d.add(Rebuilt, journalName(f.file), "It was written whole, so it is no torn tail; there is only one bit that makes it right, and the next start flips it back.",
		"bit %#02x is flipped in frame %d, which holds %s", f.mask, f.sequence, describe(entries, hit))
	x.at(f.flipped, 1)
	if hit >= 0 && !entries[hit].forget {
		x.Partition = entries[hit].tp.String()
		x.offsets(entries[hit].first, entries[hit].next-1)
	}
}

// describe names what a frame holds; of many entries the one that was hit, or the first.
func describe(entries []journalEntry, hit int) string {
	if len(entries) == 0 {
		return "nothing"
	}
	e := entries[max(hit, 0)]
	text := fmt.Sprintf("offsets %d to %d of %s, for segment %s at position %d", e.first, e.next-1, e.tp, e.segment(), e.position)
	if e.forget {
		text = fmt.Sprintf("the note that %s was cut or deleted", e.tp)
	}
	if n := len(entries) - 1; n > 0 {
		text += fmt.Sprintf(", and %d more", n)
	}
	return text
}

// sayGap is for an acknowledged frame that cannot be read. What it says of itself is told, though its CRC does not vouch for it.
func (d *directory) sayGap(j *journal, g frameGap) {
	const outcome = "The next start goes on with the frames that follow; what the segments lack of this one is lost, and logs of which later frames prove that take no appends. If the power did not fail the segments have all. Repair sets the journal aside when the rest is in the segments."
	problem := fmt.Sprintf("frame %d, which was acknowledged, cannot be read", g.sequence)
	size := None
	if g.bytes != None {
		size = g.bytes
	}
	var entries []journalEntry
	if b, err := j.read(g.file, g.position, maxFrameBytes); err == nil {
		if f, ok := parseFrame(b, j.id, g.position); ok {
			_ = parseEntries(b[:min(f.length, len(b))], f, func(e journalEntry) {
				if kafka.CheckTopicName(e.tp.Topic) == nil {
					entries = append(entries, e)
				}
			})
		}
	}
	if len(entries) == 0 {
		d.add(Damaged, journalName(g.file), outcome, "%s, not even what it is about", problem).at(g.position, size)
		return
	}
	for _, e := range entries {
		x := d.add(Damaged, journalName(g.file), outcome, "%s; it says that it holds %s", problem, describe([]journalEntry{e}, 0))
		x.at(g.position+int64(e.at), int64(e.length))
		x.Partition = e.tp.String()
		if !e.forget {
			x.offsets(e.first, e.next-1)
		} else {
			x.at(g.position, size)
		}
	}
}
