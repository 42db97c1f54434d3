package quorum

import (
	"fmt"
	"iter"
	"time"

	"github.com/ottla/ottla/internal/record"
)

// EncodeRecordsFile makes a file of metadata records that belongs to no place of a log, in the form of a snapshot that ends at offset 0, as
// bootstrap.checkpoint is (org.apache.kafka.metadata.util.BatchFileWriter).
func EncodeRecordsFile(values iter.Seq[[]byte], now time.Time) ([]byte, error) {
	return buildSnapshot(position{}, 0, electorate{}, values, now)
}

// DecodeRecordsFile yields the records of such a file, and last an error if something is wrong with it.
func DecodeRecordsFile(data []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for b, err := range record.Batches(data) {
			if err == nil {
				err = b.CheckCRC()
			}
			if err != nil {
				yield(nil, fmt.Errorf("no metadata records: %w", err))
				return
			}
			if b.Attributes().Control() {
				continue
			}
			for r, err := range b.Records(maxMessageBytes) {
				if !yield(r.Value, err) || err != nil {
					return
				}
			}
		}
	}
}
