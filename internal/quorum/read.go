package quorum

import (
	"fmt"
	"iter"

	"github.com/ottla/ottla/internal/record"
)

// readBytes is how much of the log is read at a time when all of it is read.
const readBytes = 1 << 20

// batches yields the batches of a journal between two offsets, in order. They are valid during their yield.
func batches(j journal, from, to int64) iter.Seq2[record.Batch, error] {
	return func(yield func(record.Batch, error) bool) {
		for from < to {
			chunk, err := j.Read(from, to, readBytes)
			if err == nil && len(chunk) == 0 {
				err = fmt.Errorf("nothing there")
			}
			for b, broken := range record.Batches(chunk) {
				if err = broken; err != nil {
					break
				}
				if !yield(b, nil) {
					return
				}
				from = b.LastOffset() + 1
			}
			if err != nil {
				yield(nil, fmt.Errorf("reading the metadata log at offset %d: %w", from, err))
				return
			}
		}
	}
}
