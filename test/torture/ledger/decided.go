package ledger

// decided is the part of a Reading that knows of transactions: of a topic that is read with isolation.level=read_committed up to
// an offset below which every transaction has ended.
type decided struct {
	fresh []Entry       // read since the last look
	open  []Transaction // asked for or confirmed, and not seen whole yet
	asked int           // so many of the ledger's have been looked at
}

// Decide compares what was read with the transactions, of which a snapshot was taken before. It returns what is wrong. At the
// end, when nobody writes any more, whole is true, and all of a transaction must be there or nothing.
func (r *Reading) Decide(book *Ledger, told Snapshot, whole bool) []string {
	book.in(r.topic, func(x *transactions) {
		for _, e := range r.decided.fresh {
			r.permitted(x, e)
		}
		r.decided.fresh = nil
		r.decided.open = append(r.decided.open, x.asked[r.decided.asked:]...)
		r.decided.asked = len(x.asked)
		left := r.decided.open[:0]
		for _, t := range r.decided.open {
			if !r.complete(t, x.works[t], told.confirmed, whole) {
				left = append(left, t)
			}
		}
		r.decided.open = left
	})
	return r.faults
}

// permitted looks for a record that nobody may see.
func (r *Reading) permitted(x *transactions, e Entry) {
	list := x.of[e.stream()]
	if e.Number >= len(list) || list[e.Number] == (Transaction{}) {
		return // of no transaction
	}
	if t := list[e.Number]; x.works[t].outcome == unasked {
		r.fault("aborted: %v is visible, but the commit of transaction %d was not asked for", e, t.Number)
	}
}

// complete reports whether all of a transaction was seen. It is a fault if there is a part of it, or if nothing is there though
// the commit was acknowledged, where all has been read.
func (r *Reading) complete(t Transaction, w *work, told int, whole bool) bool {
	confirmed := w.confirmed > 0 && w.confirmed <= told
	var seen, missing []Entry
	for i, e := range w.sent {
		at := r.offset(e)
		switch {
		case at >= 0 && w.at[i] > 0 && at != w.at[i]-1:
			r.fault("%v is at offset %d, acknowledged was %d", e, at, w.at[i]-1)
		case at >= 0:
			seen = append(seen, e)
		case whole || w.at[i] > 0 && w.at[i]-1 < r.next[int32(e.Partition)]:
			missing = append(missing, e)
		}
	}
	switch {
	case len(missing) > 0 && confirmed:
		r.fault("lost: %v of transaction %d, whose commit was acknowledged (%d records are there, %d not)", missing[0], t.Number, len(seen), len(missing))
	case len(missing) > 0 && len(seen) > 0:
		r.fault("torn: of transaction %d, whose commit was asked for, %v is there, %v is not", t.Number, seen[0], missing[0])
	}
	return len(seen) == len(w.sent) || whole
}

// offset is where a record was read, -1 if it was not.
func (r *Reading) offset(e Entry) int64 {
	if list := r.places[e.stream()]; e.Number < len(list) {
		return list[e.Number] - 1
	}
	return -1
}

// Length is how many records of a producer in a partition were read, from number 0 on without a gap.
func (r *Reading) Length(producer, partition int) int {
	list := r.places[stream{r.topic, producer, partition}]
	n := 0
	for n < len(list) && list[n] > 0 {
		n++
	}
	return n
}

// checkGap is for topics whose producers leave no number out.
func (r *Reading) checkGap(e Entry) {
	last, seen := r.last[e.stream()]
	if !seen {
		last = -1
	}
	if r.promise.Gapless && e.Number > last+1 {
		r.fault("gap: %v follows number %d", e, last)
	}
}
