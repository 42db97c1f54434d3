package quorum

// journal is what the quorum needs of a log on disk. Offsets are the log's; batches come with their offsets
// and epochs. One goroutine writes; reads may come from others at the same time.
type journal interface {
	StartOffset() int64
	EndOffset() int64
	// Write appends batches; the first begins at EndOffset.
	Write(batches []byte) error
	// Sync returns once everything written is on stable storage.
	Sync() error
	// Read returns whole batches from the one that begins at offset on, ending below the offset below: as
	// many as fit in maxBytes, and at least one.
	Read(offset, below int64, maxBytes int) ([]byte, error)
	// TruncateTo removes everything from offset on.
	TruncateTo(offset int64) error
	// AdvanceStart gives up what is below offset.
	AdvanceStart(offset int64) error
	// Reset empties the log; the next batch begins at offset.
	Reset(offset int64) error
	// SetHighWatermark notes that everything below offset is committed.
	SetHighWatermark(offset int64)
}
