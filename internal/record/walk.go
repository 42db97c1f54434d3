package record

import "github.com/ottla/ottla/internal/kafka"

// visitor is shown the records of a batch in order; index counts them from 0. It may stop the walk. Of long records
// the key and the value have no bytes, therefore their lengths are told: 0 also for null.
type visitor interface {
	visit(index int32, r *Record, keyBytes, valueBytes int) (stop bool)
}

// maxStraddling is the largest record that a walker keeps when only a part of it is there.
const maxStraddling = 64 << 10

// walker is the sink that parses records while they are being decompressed. It keeps no more than one piece of
// the stream and the beginning of a record that ends in the next one. A record that is no record ends the parsing,
// but not the stream: damage of the stream goes first.
type walker struct {
	cursor  cursor
	visitor visitor
	output  output
	count   int32 // records that the batch claims to have
	seen    int32
	total   int    // uncompressed bytes
	window  window // rest of the last piece, then space for the next one
	kept    int    // bytes of that rest
	surplus bool   // there are bytes after the last record
	err     error
	long    longRecord
	record  Record
}

func (w *walker) begin(b Batch, v visitor) {
	w.cursor, w.visitor, w.count = b.cursor(nil), v, b.Count()
	w.restart()
}

// end forgets the batch, so that a walker in a pool holds no memory but its window.
func (w *walker) end() {
	w.window.shrink()
	*w = walker{window: w.window}
}

func (w *walker) restart() {
	w.seen, w.total, w.kept, w.surplus, w.err = 0, 0, 0, false, nil
	w.long = longRecord{}
}

func (w *walker) space(n int) []byte {
	return w.window.atLeast(w.kept, w.kept+n)[w.kept : w.kept+n]
}

func (w *walker) accept(n int) error {
	w.total += n
	w.kept = copy(w.window.bytes, w.walk(w.window.bytes[:w.kept+n]))
	if w.err == errStop {
		return errStop
	}
	return nil
}

// walk parses the records in data and returns the bytes of one that is not whole.
func (w *walker) walk(data []byte) (rest []byte) {
	if w.long.size > 0 {
		data = w.walkLong(data)
	}
	for w.err == nil && w.seen < w.count {
		size, at := varint(data, 0)
		switch {
		case at == 0 && len(data) < maxVarint:
			return data
		case at == 0:
			w.err = errPremature()
		case size < 0:
			w.err = errStructure()
		case int(size) <= len(data)-at:
			end := at + int(size)
			if w.err = w.cursor.parse(data[at:end], &w.record); w.err == nil {
				w.visit(&w.record, len(w.record.Key), len(w.record.Value))
			}
			data = data[end:]
		case size <= maxStraddling:
			return data
		default:
			w.long = longRecord{size: int(size)}
			w.walkLong(data[at:])
			return nil
		}
	}
	w.surplus = w.surplus || len(data) > 0
	return nil
}

// walkLong goes on with a record of which nothing is kept, and returns what comes after it.
func (w *walker) walkLong(data []byte) (rest []byte) {
	rest = w.long.feed(data)
	if w.long.at < w.long.size {
		return nil
	}
	if w.err = w.long.end(); w.err == nil {
		w.long.describe(&w.cursor, &w.record)
		w.visit(&w.record, max(0, w.long.keyBytes), max(0, w.long.valueBytes))
	}
	w.long = longRecord{}
	return rest
}

func (w *walker) visit(r *Record, keyBytes, valueBytes int) {
	if w.visitor.visit(w.seen, r, keyBytes, valueBytes) {
		w.err = errStop
	}
	w.seen++
}

// finish returns the error of the records once all bytes were there; those of cursor.next and cursor.end.
func (w *walker) finish() error {
	switch {
	case w.err != nil:
		return w.err
	case w.long.size > 0:
		return errRecordSize(w.long.size, w.long.at)
	case w.seen < w.count:
		size, at := varint(w.window.bytes[:w.kept], 0)
		if at == 0 {
			return errPremature()
		}
		return errRecordSize(int(size), w.kept-at)
	case w.count < 0:
		return errCount(w.count)
	case w.surplus && w.count > 0:
		return errSurplus()
	}
	return nil
}

func errPremature() error {
	return kafka.Errorf(kafka.InvalidRecord, "Incorrect declared batch size, premature EOF reached")
}

func errRecordSize(size, remaining int) error {
	return kafka.Errorf(kafka.InvalidRecord, "Invalid record size: expected %d bytes in record payload, but instead the buffer has only %d remaining bytes.", size, remaining)
}

func errCount(count int32) error {
	return kafka.Errorf(kafka.InvalidRecord, "Found invalid record count %d in magic v%d batch", count, Magic)
}

func errSurplus() error {
	return kafka.Errorf(kafka.InvalidRecord, "Incorrect declared batch size, records still remaining in file")
}
