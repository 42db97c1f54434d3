package tools

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/wire/recordjson"
)

// bootstrapSnapshot is the file of the records that a new cluster begins with.
const bootstrapSnapshot = "bootstrap.checkpoint"

// segment prints a log segment, or a snapshot of the metadata, which is written in batches too.
func (d *logDump) segment(f dumpedFile, decoder recordDecoder, maxBytes int) error {
	title, err := segmentTitle(f)
	if err != nil {
		return err
	}
	d.printf("%s\n", title)
	file, err := openSegmentFile(f.path)
	if err != nil {
		return err
	}
	defer file.close()
	part, err := file.slice(0, maxBytes)
	if err != nil {
		return err
	}
	p := segmentPrinter{logDump: d, path: f.absolute(), decoder: decoder, last: -1,
		contents: d.options.printsRecords(), bare: d.options.Has(d.options.skipMetadata)}
	deep := p.contents || d.options.Has(d.options.deep)
	valid := 0
	for b, err := range part.batches() {
		if err == nil {
			err = p.batch(b, valid)
		}
		if err == nil && deep {
			err = p.records(b)
		}
		if err != nil {
			return err
		}
		valid += b.size
	}
	if rest := part.end - part.start - valid; rest > 0 && maxBytes == math.MaxInt32 {
		d.printf("Found %d invalid bytes at the end of %s\n", rest, f.name())
	}
	return nil
}

func segmentTitle(f dumpedFile) (string, error) {
	if f.suffix() == ".log" {
		offset, err := f.baseOffset()
		return fmt.Sprintf("Log starting offset: %d", offset), err
	}
	if f.name() == bootstrapSnapshot {
		return "KRaft bootstrap snapshot", nil
	}
	const offsetWidth, epochWidth = 20, 10
	name := f.name()
	if len(name) < offsetWidth+1+epochWidth {
		return "", &exception{class: "java.lang.StringIndexOutOfBoundsException", message: fmt.Sprintf("begin 0, end %d, length %d", offsetWidth, len(name))}
	}
	digits, epochDigits := name[:offsetWidth], name[offsetWidth+1:offsetWidth+1+epochWidth]
	offset, err := strconv.ParseInt(digits, 10, 64)
	if err == nil {
		digits = epochDigits
		_, err = strconv.ParseInt(digits, 10, 32)
	}
	if err != nil {
		return "", &exception{class: "java.lang.NumberFormatException", message: `For input string: "` + digits + `"`}
	}
	epoch, _ := strconv.ParseInt(epochDigits, 10, 32)
	return fmt.Sprintf("Snapshot end offset: %d, epoch: %d", offset, epoch), nil
}

// A segmentPrinter prints the batches of one file.
type segmentPrinter struct {
	*logDump
	path     string
	decoder  recordDecoder
	last     int64 // offset of the record before, -1 at first
	contents bool  // print keys and values
	bare     bool  // print nothing else of a record
}

// batch prints the line of a batch that begins after the given number of bytes.
func (p *segmentPrinter) batch(b *dumpedBatch, position int) error {
	if b.isLegacy() {
		return p.legacyBatch(b, position)
	}
	h, err := b.header()
	if err != nil {
		return err
	}
	a := h.Attributes()
	horizon, hasHorizon := h.DeleteHorizon()
	p.printf("baseOffset: %d lastOffset: %d count: %d baseSequence: %d lastSequence: %d producerId: %d producerEpoch: %d "+
		"partitionLeaderEpoch: %d isTransactional: %t isControl: %t deleteHorizonMs: %s",
		h.BaseOffset(), h.LastOffset(), h.Count(), h.BaseSequence(), h.LastSequence(), h.ProducerID(), h.ProducerEpoch(),
		h.LeaderEpoch(), a.Transactional(), a.Control(), optionalLong(horizon, hasHorizon))
	codec, err := codecName(a.Codec())
	if err != nil {
		return err
	}
	bytes, err := b.load(b.size)
	if err != nil {
		return err
	}
	valid := len(bytes) >= record.HeaderSize && record.Batch(bytes).CheckCRC() == nil
	p.printf(" position: %d %s: %d size: %d magic: %d compresscodec: %s crc: %d isvalid: %t\n",
		position, a.TimestampType(), h.MaxTimestamp(), b.size, b.magic, codec, h.CRC(), valid)
	return nil
}

func (p *segmentPrinter) legacyBatch(b *dumpedBatch, position int) error {
	bytes, err := b.load(b.size)
	if err != nil {
		return err
	}
	l := record.Legacy(bytes)
	p.printf("offset: %d", l.Offset())
	if l.Magic() < 0 {
		return illegalArgument(fmt.Sprintf("Invalid magic used in LegacyRecord: %d", l.Magic()))
	}
	codec, err := codecName(l.Codec())
	if err != nil {
		return err
	}
	p.printf(" position: %d %s: %d size: %d magic: %d compresscodec: %s crc: %d isvalid: %t\n",
		position, legacyTimestampType(l), l.Timestamp(), b.size, b.magic, codec, l.CRC(), l.Valid())
	return nil
}

func legacyTimestampType(l record.Legacy) string {
	if t, ok := l.TimestampType(); ok {
		return t.String()
	}
	return "NoTimestampType"
}

func codecName(c record.Codec) (string, error) {
	if !c.Known() {
		return "", illegalArgument(fmt.Sprintf("Unknown compression type id: %d", c))
	}
	return c.String(), nil
}

// optionalLong is java.util.OptionalLong.toString.
func optionalLong(n int64, present bool) string {
	if !present {
		return "OptionalLong.empty"
	}
	return "OptionalLong[" + strconv.FormatInt(n, 10) + "]"
}

// records prints a line for each record of a batch.
func (p *segmentPrinter) records(b *dumpedBatch) error {
	control, timestampType, err := b.recordKinds()
	if err != nil {
		return err
	}
	for r, err := range b.records() {
		if err != nil {
			return err
		}
		if r.offset != p.last+1 {
			p.findings.nonConsecutive.pair(p.path, p.last, r.offset)
		}
		p.last = r.offset
		if !p.bare {
			p.metadata(&r, timestampType)
			if control {
				if err := p.controlRecord(&r); err != nil {
					return err
				}
			}
		}
		if p.contents && !control {
			if err := p.content(&r); err != nil {
				return err
			}
		}
		p.printf("\n")
	}
	return nil
}

// recordKinds says whether the records are control records, and what their timestamps are.
func (b *dumpedBatch) recordKinds() (control bool, timestampType string, err error) {
	if !b.isLegacy() {
		h, err := b.header()
		if err != nil {
			return false, "", err
		}
		return h.Attributes().Control(), h.Attributes().TimestampType().String(), nil
	}
	bytes, err := b.load(b.size)
	if err != nil {
		return false, "", err
	}
	return false, legacyTimestampType(record.Legacy(bytes)), nil
}

func (p *segmentPrinter) metadata(r *dumpedRecord, timestampType string) {
	p.printf("| offset: %d %s: %d keySize: %d valueSize: %d", r.offset, timestampType, r.timestamp, sizeOrNull(r.key), sizeOrNull(r.value))
	if r.v2 == nil {
		p.printf(" isValid: %t crc: %d", r.valid, r.crc)
		return
	}
	var keys []string
	for h := range r.v2.Headers() {
		keys = append(keys, recordjson.Text(h.Key))
	}
	p.printf(" sequence: %d headerKeys: [%s]", r.sequence, strings.Join(keys, ","))
}

// sizeOrNull is the size of a key or value, -1 for null.
func sizeOrNull(b []byte) int {
	if b == nil {
		return -1
	}
	return len(b)
}

func (p *segmentPrinter) content(r *dumpedRecord) error {
	key, value, err := p.decoder.decode(r)
	if err != nil {
		return err
	}
	prefix := " "
	if p.bare {
		prefix = "| "
	}
	if key != nil {
		p.printf("%skey: %s", prefix, *key)
		prefix = " "
	}
	if value != nil {
		p.printf("%spayload: %s", prefix, *value)
	}
	return nil
}
