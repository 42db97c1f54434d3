package record

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/ottla/ottla/internal/kafka"
)

// validateNow is the broker's clock in the cases.
const validateNow int64 = 1_700_000_000_000

// validateCase is one Produce of one partition. testdata/kafka.verdicts has what Kafka 4.3.1 made of it.
type validateCase struct {
	name  string
	rules Rules
	bytes []byte
}

// defaults are a topic's settings in a fresh Kafka.
func defaults() Rules {
	return Rules{
		Partition: kafka.TopicPartition{Topic: "t", Partition: 3}, ProduceVersion: 13, MaxMessageBytes: 1048588,
		TimestampBeforeMaxMs: 1<<63 - 1, TimestampAfterMaxMs: 3_600_000,
	}
}

// threeRecords has keys, a tombstone and headers, from a producer with sequences.
func threeRecords(c Codec) Batch { return build(c, &Producer{7, 2, 40}) }

func build(c Codec, p *Producer) Batch {
	b := NewBuilder(BatchOptions{Compression: NewCompression(c), Producer: p})
	b.Add(validateNow-20, []byte("k1"), []byte("one"))
	b.Add(validateNow-10, []byte("k2"), nil, Header{"h", []byte("x")}, Header{"", nil})
	b.Add(validateNow-15, nil, []byte("three"))
	batch, err := b.Build()
	if err != nil {
		panic(err)
	}
	return batch
}

// forge makes a batch of hand-written record bytes.
func forge(c Codec, count int32, records ...[]byte) Batch {
	b := NewBuilder(BatchOptions{Compression: NewCompression(c)})
	b.baseTimestamp, b.maxTimestamp = validateNow, validateNow
	b.count, b.lastDelta = count, count-1
	b.buf = append(b.buf, slices.Concat(records...)...)
	batch, err := b.Build()
	if err != nil {
		panic(err)
	}
	return batch
}

// rawRecord frames a hand-written body.
func rawRecord(body ...byte) []byte { return append(appendVarint(nil, int32(len(body))), body...) }

// plain is the record at an offset delta with an empty key and value.
func plain(delta byte) []byte { return rawRecord(0, 0, 2*delta, 0, 0, 0) }

// edit changes header bytes and makes the CRC right again.
func edit(b Batch, change func(Batch)) []byte {
	change(b)
	b.stampCRC()
	return b
}

func set32(at int, v int32) func(Batch) {
	return func(b Batch) { binary.BigEndian.PutUint32(b[at:], uint32(v)) }
}

func flags(a Attributes) func(Batch) {
	return func(b Batch) { binary.BigEndian.PutUint16(b[atAttributes:], uint16(b.Attributes()|a)) }
}

func with(change func(*Rules)) Rules {
	r := defaults()
	change(&r)
	return r
}

func validateCases(t testing.TB) []validateCase {
	compacted := with(func(r *Rules) { r.Compacted = true })
	appendTime := with(func(r *Rules) { r.TimestampType = LogAppendTime })
	window := with(func(r *Rules) { r.TimestampBeforeMaxMs, r.TimestampAfterMaxMs = 12, 5 })
	coordinator := with(func(r *Rules) { r.Origin = Coordinator })
	target := func(c Codec) Rules {
		return with(func(r *Rules) { compression := NewCompression(c); r.Compression = &compression })
	}
	marker := EndTxnMarker{Commit: true, CoordinatorEpoch: 4, Timestamp: validateNow}.Batch(7, 2)
	var cases []validateCase
	add := func(name string, rules Rules, b []byte) { cases = append(cases, validateCase{name, rules, b}) }

	for _, c := range codecs {
		add("good "+c.String(), defaults(), threeRecords(c))
		add("good without producer "+c.String(), defaults(), build(c, nil))
		add("LogAppendTime "+c.String(), appendTime, threeRecords(c))
		add("keyless in compacted "+c.String(), compacted, threeRecords(c))
		add("outside the timestamp window "+c.String(), window, threeRecords(c))
		add("more records than counted "+c.String(), defaults(), forge(c, 1, plain(0), plain(1)))
		add("fewer records than counted "+c.String(), defaults(), forge(c, 3, plain(0), plain(1)))
		add("gap in offset deltas "+c.String(), defaults(), forge(c, 2, plain(0), plain(5)))
		add("claims LogAppendTime "+c.String(), defaults(), edit(threeRecords(c), flags(logAppendTimeFlag)))
		add("claims LogAppendTime in such a topic "+c.String(), appendTime, edit(threeRecords(c), flags(logAppendTimeFlag)))
		add("wrong max timestamp "+c.String(), defaults(), edit(threeRecords(c), func(b Batch) { binary.BigEndian.PutUint64(b[atMaxTimestamp:], 5) }))
		add("record with a tail "+c.String(), defaults(), forge(c, 1, rawRecord(0, 0, 0, 0, 0, 0, 9)))
		add("negative header count "+c.String(), defaults(), forge(c, 1, rawRecord(0, 0, 0, 0, 0, 1)))
		add("null header key "+c.String(), defaults(), forge(c, 1, rawRecord(0, 0, 0, 0, 0, 2, 1, 1)))
		add("too many headers "+c.String(), defaults(), forge(c, 1, rawRecord(0, 0, 0, 0, 0, 200, 1)))
		add("key beyond the end "+c.String(), defaults(), forge(c, 1, rawRecord(0, 0, 0, 100, 0, 0)))
		add("very negative key length "+c.String(), defaults(), forge(c, 1, rawRecord(0, 0, 0, 9, 0, 0)))
		for _, to := range codecs {
			if to != c {
				add("from "+c.String()+" to "+to.String(), target(to), threeRecords(c))
			}
		}
	}
	add("nothing", defaults(), nil)
	add("half a header", defaults(), threeRecords(None)[:30])
	add("cut", defaults(), threeRecords(None)[:len(threeRecords(None))-1])
	add("half a batch behind", defaults(), append(threeRecords(None), threeRecords(None)[:40]...))
	add("two batches", defaults(), append(threeRecords(None), threeRecords(None)...))
	add("rubbish behind", defaults(), append(threeRecords(None), make([]byte, 20)...))
	add("length too small", defaults(), edit(threeRecords(None), set32(atLength, 13)))
	add("length negative", defaults(), edit(threeRecords(None), set32(atLength, -1)))
	add("length below the header", defaults(), edit(threeRecords(None), set32(atLength, 20)))
	for magic := range byte(4) {
		if magic != Magic {
			b := threeRecords(None)
			b[atMagic] = magic
			add("magic "+string('0'+magic), defaults(), b)
		}
	}
	flipped := threeRecords(None)
	flipped[len(flipped)-1] ^= 1
	add("CRC", defaults(), flipped)
	base := threeRecords(None)
	base.SetBaseOffset(9)
	add("base offset", defaults(), base)
	add("too large", with(func(r *Rules) { r.MaxMessageBytes = 50 }), threeRecords(None))
	add("zstd before v7", with(func(r *Rules) { r.ProduceVersion = 6 }), threeRecords(Zstd))
	add("gzip before v7", with(func(r *Rules) { r.ProduceVersion = 6 }), threeRecords(Gzip))
	wide := func(delta byte) []byte {
		return rawRecord(append([]byte{0, 0, 2 * delta, 0, 80}, make([]byte, 41)...)...)
	}
	add("too large after recompression", with(func(r *Rules) { r.MaxMessageBytes, r.Compression = 130, &Compression{} }), forge(Gzip, 2, wide(0), wide(1)))
	for codec := Codec(5); codec < 8; codec++ {
		add(codec.String(), defaults(), edit(threeRecords(None), flags(Attributes(codec))))
	}
	add("damaged gzip", defaults(), edit(threeRecords(None), flags(Attributes(Gzip))))
	add("damaged snappy", defaults(), edit(threeRecords(None), flags(Attributes(Snappy))))
	add("damaged lz4", defaults(), edit(threeRecords(None), flags(Attributes(LZ4))))
	add("damaged zstd", defaults(), edit(threeRecords(None), flags(Attributes(Zstd))))
	add("last offset delta -1", defaults(), edit(threeRecords(None), set32(atLastOffsetDelta, -1)))
	add("last offset delta 5", defaults(), edit(threeRecords(None), set32(atLastOffsetDelta, 5)))
	add("count 0", defaults(), edit(threeRecords(None), set32(atCount, 0)))
	add("count -1", defaults(), edit(threeRecords(None), set32(atCount, -1)))
	add("empty batch", defaults(), threeRecords(None).Emptied())
	add("count 2147483647", defaults(), edit(threeRecords(None), func(b Batch) { set32(atCount, 1<<31-1)(b); set32(atLastOffsetDelta, 1<<31-2)(b) }))
	add("control batch", defaults(), marker)
	add("control batch of the coordinator", coordinator, slices.Clone(marker))
	add("control batch, compressing topic", with(func(r *Rules) { c := NewCompression(Gzip); r.Origin, r.Compression = Coordinator, &c }), slices.Clone(marker))
	add("keyless of the coordinator in compacted", with(func(r *Rules) { r.Origin, r.Compacted = Coordinator, true }), threeRecords(None))
	add("no sequence", defaults(), build(None, &Producer{7, 2, NoSequence}))
	add("no sequence of the coordinator", coordinator, build(None, &Producer{7, 2, NoSequence}))
	add("base offset of the coordinator", coordinator, slices.Clone(base))
	add("no timestamps", defaults(), edit(forge(None, 2, plain(0), plain(1)), func(b Batch) {
		none := NoTimestamp
		binary.BigEndian.PutUint64(b[atBaseTimestamp:], uint64(none))
	}))
	add("timestamp at both ends", defaults(), forge(None, 2, rawRecord(0, 0, 0, 0, 0, 0),
		append([]byte{2 * 15, 0}, append(appendVarlong(nil, 1<<62), 2, 0, 0, 0)...)))
	return cases
}
