package differential

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/record"
)

// Where the fields of a batch's header lie (record's doc.go draws them).
const (
	atLength    = 8
	atMagic     = 16
	atCRC       = 17
	atAttrs     = 21
	atLastDelta = 23
	atMaxTime   = 35
	atCount     = 57
)

var codecs = map[string]record.Codec{"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}

// buildBatch makes the bytes of a batch from the words behind "batch NAME": options (key=value, txn, control) and records
// (key:value, a word without a colon is a value with a null key, "-" is null; x*1000 repeats; @time at the end is the
// record's timestamp). Options that make a batch wrong are applied to the finished bytes: magic, crc=bad, count, lastdelta,
// maxts, attrs (or-ed), length (added), cut (bytes dropped at the end).
func buildBatch(words []string, now time.Time) ([]byte, error) {
	b := batchText{now: now, ts: now.UnixMilli(), options: map[string]string{}}
	for _, w := range words {
		key, value, isOption := strings.Cut(w, "=")
		switch {
		case isOption && !strings.Contains(key, ":"):
			b.options[key] = value
		case w == "txn" || w == "control":
			b.options[w] = "true"
		default:
			b.records = append(b.records, w)
		}
	}
	return b.build()
}

type batchText struct {
	now     time.Time
	ts      int64
	options map[string]string
	records []string
}

func (b *batchText) build() ([]byte, error) {
	o := record.BatchOptions{LeaderEpoch: -1, Transactional: b.options["txn"] != "", Control: b.options["control"] != ""}
	if name := b.options["codec"]; name != "" {
		o.Compression = record.NewCompression(codecs[name])
	}
	if b.options["base"] != "" {
		o.BaseOffset = b.number("base")
	}
	if b.options["leaderepoch"] != "" {
		o.LeaderEpoch = int32(b.number("leaderepoch"))
	}
	if b.options["pid"] != "" {
		o.Producer = &record.Producer{ID: b.number("pid"), Epoch: int16(b.number("epoch")), Sequence: int32(b.number("seq"))}
	}
	if ts, ok := b.options["ts"]; ok {
		at, err := parseTime(ts, b.now)
		if err != nil {
			return nil, err
		}
		b.ts = at
	}
	builder := record.NewBuilder(o)
	for _, r := range b.records {
		if err := b.add(builder, r); err != nil {
			return nil, err
		}
	}
	batch, err := builder.Build()
	if err != nil {
		return nil, err
	}
	return b.spoil(batch), nil
}

func (b *batchText) number(option string) int64 {
	n, _ := strconv.ParseInt(b.options[option], 0, 64)
	return n
}

func (b *batchText) add(builder *record.Builder, text string) error {
	at := b.ts
	if body, when, ok := strings.Cut(text, "@"); ok {
		ms, err := parseTime(when, b.now)
		if err != nil {
			return err
		}
		text, at = body, ms
	}
	key, value, keyed := strings.Cut(text, ":")
	if !keyed {
		key, value = "-", text
	}
	if b.options["control"] != "" {
		kind, err := strconv.Atoi(value)
		builder.AddControl(at, record.ControlType(kind), []byte{0, 0, 0, 0, 0, 0})
		return err
	}
	builder.Add(at, part(key), part(value))
	return nil
}

// part is a key or value: "-" is null, word*N is the word N times.
func part(s string) []byte {
	if s == "-" {
		return nil
	}
	if word, times, ok := strings.Cut(s, "*"); ok {
		if n, err := strconv.Atoi(times); err == nil {
			return []byte(strings.Repeat(word, n))
		}
	}
	return []byte(s)
}

// spoil overwrites header fields and makes the checksum right again, unless it is to be wrong.
func (b *batchText) spoil(batch []byte) []byte {
	for option, at := range map[string]int{"count": atCount, "lastdelta": atLastDelta} {
		if b.options[option] != "" {
			binary.BigEndian.PutUint32(batch[at:], uint32(b.number(option)))
		}
	}
	if ts, ok := b.options["maxts"]; ok {
		ms, _ := parseTime(ts, b.now)
		binary.BigEndian.PutUint64(batch[atMaxTime:], uint64(ms))
	}
	if b.options["attrs"] != "" {
		attrs := binary.BigEndian.Uint16(batch[atAttrs:]) | uint16(b.number("attrs"))
		binary.BigEndian.PutUint16(batch[atAttrs:], attrs)
	}
	binary.BigEndian.PutUint32(batch[atCRC:], crc32.Checksum(batch[atAttrs:], crc32.MakeTable(crc32.Castagnoli)))
	if b.options["crc"] == "bad" {
		batch[atCRC] ^= 0x55
	}
	if b.options["magic"] != "" {
		batch[atMagic] = byte(b.number("magic"))
	}
	if b.options["length"] != "" {
		length := binary.BigEndian.Uint32(batch[atLength:])
		binary.BigEndian.PutUint32(batch[atLength:], length+uint32(b.number("length")))
	}
	return batch[:len(batch)-int(b.number("cut"))]
}

// parseTime reads milliseconds, or now, now-8d, now+2h.
func parseTime(s string, now time.Time) (int64, error) {
	rest, relative := strings.CutPrefix(s, "now")
	if !relative {
		return strconv.ParseInt(s, 0, 64)
	}
	if rest == "" {
		return now.UnixMilli(), nil
	}
	if days, ok := strings.CutSuffix(rest, "d"); ok {
		n, err := strconv.Atoi(days)
		return now.AddDate(0, 0, n).UnixMilli(), err
	}
	d, err := time.ParseDuration(rest)
	if err != nil {
		return 0, fmt.Errorf("time %q: %w", s, err)
	}
	return now.Add(d).UnixMilli(), nil
}
