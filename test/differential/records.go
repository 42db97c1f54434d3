package differential

import (
	"fmt"

	"github.com/ottla/ottla/internal/record"
)

// stored is what the bytes of a partition's records say.
type stored struct {
	Batches []storedBatch
	Rest    string // what is left over: why, and how many bytes
}

type storedBatch struct {
	BaseOffset      int64
	Length          string // of the whole batch in bytes; not compared if it is compressed
	LeaderEpoch     int32
	CRC             string
	Codec           string
	Attributes      string // all but the codec
	LastOffsetDelta int32
	BaseTimestamp   int64
	MaxTimestamp    int64
	ProducerID      int64
	ProducerEpoch   int16
	BaseSequence    int32
	Records         []storedRecord
}

type storedRecord struct {
	Offset     int64
	Timestamp  int64
	Key, Value *string
	Headers    string
}

// takeApart decodes record batches as Fetch returns them; the last may be cut off.
func takeApart(b []byte) stored {
	var s stored
	for len(b) > 0 {
		batch, rest, err := record.First(b)
		if err != nil {
			s.Rest = fmt.Sprintf("%v (%d bytes)", err, len(b))
			break
		}
		s.Batches = append(s.Batches, takeApartBatch(batch))
		b = rest
	}
	return s
}

func takeApartBatch(b record.Batch) storedBatch {
	out := storedBatch{
		BaseOffset: b.BaseOffset(), LeaderEpoch: b.LeaderEpoch(), CRC: "right", Codec: fmt.Sprint(b.Attributes() & 7),
		Attributes: fmt.Sprintf("%#x", b.Attributes()&^7), LastOffsetDelta: b.LastOffsetDelta(),
		BaseTimestamp: b.FirstTimestamp(), MaxTimestamp: b.MaxTimestamp(),
		ProducerID: b.ProducerID(), ProducerEpoch: b.ProducerEpoch(), BaseSequence: b.BaseSequence(),
	}
	if err := b.CheckCRC(); err != nil {
		out.CRC = err.Error()
	}
	out.Length = "compressed"
	if out.Codec == "0" {
		out.Length = fmt.Sprint(len(b))
	}
	for r, err := range b.Records(16 << 20) {
		if err != nil {
			out.CRC += "; " + err.Error()
			break
		}
		rec := storedRecord{Offset: r.Offset, Timestamp: r.Timestamp, Key: word(r.Key), Value: word(r.Value)}
		for h := range r.Headers() {
			rec.Headers += fmt.Sprintf("%s=%q ", h.Key, h.Value)
		}
		out.Records = append(out.Records, rec)
	}
	return out
}

func word(b []byte) *string {
	if b == nil {
		return nil
	}
	s := string(b)
	return &s
}
