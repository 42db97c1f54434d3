package record

import "github.com/ottla/ottla/internal/kafka"

// longRecord parses the body of a record that comes in pieces, byte by byte where there are numbers, without
// keeping any of it. It decides as cursor.parse does.
type longRecord struct {
	size    int // bytes of the body
	at      int // of which so many were there
	stage   stage
	skip    int    // bytes of a key or value to pass over
	number  uint64 // a varint of which some bytes were there
	shift   uint
	headers int32 // headers left
	// What is to tell of the record; lengths are -1 for null.
	offsetDelta          int32
	timestampDelta       int64
	keyBytes, valueBytes int
	err                  error
}

// stage is what comes next in a record's body, see the package comment.
type stage int8

const (
	attributesStage stage = iota
	timestampStage
	offsetStage
	keyStage
	valueStage
	headerCountStage
	headerKeyStage
	headerValueStage
	doneStage
)

// feed takes the next bytes and returns those that come after the record.
func (l *longRecord) feed(data []byte) (rest []byte) {
	for len(data) > 0 && l.at < l.size {
		if l.err != nil {
			l.skip = l.size - l.at
		}
		if l.skip > 0 {
			n := min(l.skip, len(data))
			l.skip -= n
			l.at += n
			data = data[n:]
			continue
		}
		c := data[0]
		data = data[1:]
		l.at++
		l.take(c)
	}
	return data
}

// take handles the next byte that is no byte of a key or value.
func (l *longRecord) take(c byte) {
	switch l.stage {
	case attributesStage: // of which none has a meaning
		l.stage++
		return
	case doneStage:
		l.err = errTail(l.size, l.at-1)
		return
	}
	l.number |= uint64(c&0x7f) << l.shift
	l.shift += 7
	longest := uint(7 * maxVarint)
	if l.stage == timestampStage {
		longest = 7 * maxVarlong
	}
	switch {
	case c < 0x80:
		number := l.number
		l.number, l.shift = 0, 0
		if l.stage == timestampStage {
			l.timestampDelta = int64(number>>1) ^ -int64(number&1)
			l.stage++
			return
		}
		l.field(int32(uint32(number)>>1) ^ -int32(number&1))
	case l.shift >= longest:
		l.err = errStructure()
	}
}

// field handles a number.
func (l *longRecord) field(v int32) {
	left := l.size - l.at
	switch l.stage {
	case offsetStage:
		l.offsetDelta = v
		l.stage++
	case keyStage:
		l.keyBytes = l.bytes(v, left)
		l.stage++
	case valueStage:
		l.valueBytes = l.bytes(v, left)
		l.stage++
	case headerCountStage:
		// A header has two bytes at least, but as in Kafka one is enough here.
		if v < 0 || int(v) > left {
			l.err = errHeaderCount(v)
		}
		l.headers = v
		l.nextHeader()
	case headerKeyStage:
		if v < 0 {
			l.err = errHeaderKey(v)
		}
		l.bytes(v, left)
		l.stage++
	case headerValueStage:
		l.bytes(v, left)
		l.headers--
		l.nextHeader()
	}
}

// bytes passes over a key or value.
func (l *longRecord) bytes(size int32, left int) int {
	if int(size) > left {
		l.err = errStructure()
	}
	l.skip = max(0, int(size))
	return max(-1, int(size))
}

func (l *longRecord) nextHeader() {
	l.stage = headerKeyStage
	if l.headers == 0 {
		l.stage = doneStage
	}
}

// end returns what is wrong with the record, once all of it was there.
func (l *longRecord) end() error {
	if l.err == nil && l.stage != doneStage {
		return errStructure()
	}
	return l.err
}

// describe fills r with what is to tell.
func (l *longRecord) describe(c *cursor, r *Record) {
	*r = Record{OffsetDelta: l.offsetDelta}
	r.Offset, r.Timestamp = c.place(l.offsetDelta, l.timestampDelta)
	if l.keyBytes >= 0 {
		r.Key = []byte{}
	}
	if l.valueBytes >= 0 {
		r.Value = []byte{}
	}
}

func errTail(size, read int) error {
	return kafka.Errorf(kafka.InvalidRecord, "Invalid record size: expected to read %d bytes in record payload, but instead read %d", size, read)
}

func errHeaderKey(size int32) error {
	return kafka.Errorf(kafka.InvalidRecord, "Invalid negative header key size %d", size)
}

// errHeaderCount is for a number of headers that is negative or that the record has no bytes for.
func errHeaderCount(count int32) error {
	if count < 0 {
		return kafka.Errorf(kafka.InvalidRecord, "Found invalid number of record headers %d", count)
	}
	return kafka.Errorf(kafka.InvalidRecord, "Found invalid number of record headers. %d is larger than the remaining size of the buffer", count)
}
