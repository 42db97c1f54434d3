package storagecheck

import (
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// judgeHoles says how bad each damaged place is, now that it is known what follows it.
func (p *partition) judgeHoles() {
	last := len(p.segments) - 1
	for i := range p.holes {
		h := &p.holes[i]
		h.last = h.tail && h.segment == last
		f := Finding{File: p.in(p.segments[h.segment].file(logSuffix)), Position: h.position, Bytes: h.bytes, FirstOffset: None, LastOffset: None}
		if h.next > h.first {
			f.FirstOffset, f.LastOffset = h.first, h.next-1
		}
		f.Severity, f.Outcome = p.judge(h)
		h.mend = f.Severity == Damaged && !h.disk
		f.Problem = fmt.Sprintf("%d bytes are no whole batch: %s", h.bytes, h.reason)
		p.put(f)
	}
}

func (p *partition) judge(h *hole) (Severity, string) {
	switch {
	case h.disk:
		return Damaged, "Readers of these offsets get KAFKA_STORAGE_ERROR: copy what can be read to another disk, or let another replica fill this one anew."
	case h.next <= p.known.start:
		return Leftover, "It lies below the log's start, where nobody reads."
	case h.last && h.first >= p.known.vouched() && (!p.known.clean || p.known.hasPoint):
		return Rebuilt, "The next start cuts it: it lies at the end of the log, above the recovery point, and was never acknowledged as durable."
	case p.known.clean:
		return Damaged, "After a clean stop the next start does not look here; readers of these offsets get an error. Repair sets the bytes aside and lets the log go on behind them."
	case h.first < p.known.point:
		return Damaged, fmt.Sprintf("It lies below the recovery point %d: the next start keeps it and may refuse appends to the partition. Repair sets the bytes aside and lets the log go on behind them.", p.known.point)
	case h.first < p.known.proven:
		return Damaged, fmt.Sprintf("It lies below offset %d, up to which the redo journal proves that the log was acknowledged: the next start keeps it and refuses appends to the partition. Repair sets the bytes aside and lets the log go on behind them.", p.known.proven)
	case h.unwritten:
		return Rebuilt, fmt.Sprintf("It lies above the recovery point %d, and bytes in it never came to the disk, so that it was never acknowledged as durable: the next start cuts the log here, with what follows.", p.known.point)
	}
	return Damaged, fmt.Sprintf("It lies above the recovery point %d: the next start cuts the log here, with the whole batches that follow. If the power failed they were never acknowledged; if a bit flipped they may have been: repair keeps them.", p.known.point)
}

// judgeGaps tells losses from the work of compaction.
func (p *partition) judgeGaps() {
	if p.compacted() {
		p.gaps = nil
		if p.known.clean {
			p.startsAt = None
		}
		return
	}
	kept := p.gaps[:0]
	for _, h := range p.gaps {
		if h.next <= p.known.start {
			continue
		}
		if !p.known.clean && h.position == 0 && h.first >= p.known.vouched() && h.next == p.segments[h.segment].base {
			p.add(Rebuilt, p.in(p.segments[h.segment].file(logSuffix)), fmt.Sprintf("It lies above the recovery point %d, and what precedes it never came to the disk, so that it was never acknowledged as durable: the next start drops the segment.", p.known.point), "the log before the segment ends at offset %d", h.first)
			continue
		}
		kept = append(kept, h)
		outcome := "Readers go on behind them. Repair keeps the offsets taken."
		if !p.known.clean && h.next > p.known.point && h.position == 0 {
			outcome = fmt.Sprintf("The next start takes what follows, above the recovery point %d, for never durable and drops it: repair keeps it.", p.known.point)
		}
		p.add(Lost, p.in(p.segments[h.segment].file(logSuffix)), outcome, "no batch has these offsets, and the log is not compacted").at(h.position, None).offsets(max(h.first, p.known.start), h.next-1)
	}
	if over := p.gapCount - maxGaps; over > 0 {
		p.counts[Lost] += over
	}
	p.gaps = kept
}

// compacted reports whether offsets may be missing because compaction took them.
func (p *partition) compacted() bool {
	return p.thinned || p.known.cleaned > 0 || kafka.IsInternalTopic(p.tp.Topic) || p.topic != nil && p.topic.compacted
}

// content enters a batch whose bytes are as they were written, but whose records are not what its header says.
func (p *partition) content(file string, position int64, b record.Batch, err error) {
	if kafka.CodeOf(err) == kafka.MessageTooLarge {
		p.add(Leftover, file, "Its content was not checked further.", "%s", reasonOf(err)).at(position, int64(b.Length())).offsets(b.BaseOffset(), b.LastOffset())
		return
	}
	p.add(Damaged, file, "It was written so, as its CRC is right, and is served so; a consumer that cannot read it must go past its last offset.",
		"%s", reasonOf(err)).at(position, int64(b.Length())).offsets(b.BaseOffset(), b.LastOffset())
}
