package quorum

import (
	"iter"
	"time"
)

// EncodeRecordsFile makes a file of metadata records that belongs to no place of a log, in the form of a snapshot that ends at offset 0, as
// bootstrap.checkpoint is (org.apache.kafka.metadata.util.BatchFileWriter).
func EncodeRecordsFile(values iter.Seq[[]byte], now time.Time) ([]byte, error) {
	return buildSnapshot(position{}, 0, electorate{}, values, now)
}

// DecodeRecordsFile yields the records of such a file, or an error if it is not whole.
func DecodeRecordsFile(data []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if _, _, err := readSnapshot(data, position{}); err != nil {
			yield(nil, err)
			return
		}
		for b := range snapshotBatches(data) {
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
