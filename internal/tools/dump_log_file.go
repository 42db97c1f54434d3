package tools

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"os"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
)

// absolute is File.getAbsolutePath: the working folder before a relative path.
func (f dumpedFile) absolute() string {
	if len(f.path) > 0 && f.path[0] == '/' {
		return f.path
	}
	folder, err := os.Getwd()
	if err != nil {
		return f.path
	}
	return newDumpedFile(folder + "/" + f.path).path
}

// fileException names a failure of the file system as java.nio.file does.
func fileException(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &exception{class: "java.nio.file.NoSuchFileException", message: path}
	case errors.Is(err, fs.ErrPermission):
		return &exception{class: "java.nio.file.AccessDeniedException", message: path}
	}
	return &exception{class: "java.io.IOException", message: err.Error()}
}

// A segmentFile is a range of a log file, as Kafka's FileRecords is.
type segmentFile struct {
	file       *os.File
	path       string
	start, end int
	whole      bool // not a slice: its end is open
}

// openSegmentFile opens a log file, which close closes.
func openSegmentFile(path string) (*segmentFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fileException(path, err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, fileException(path, err)
	}
	if info.IsDir() {
		file.Close()
		return nil, &exception{class: "java.io.IOException", message: "Is a directory"}
	}
	if info.Size() > math.MaxInt32 {
		file.Close()
		return nil, kafkaException(fmt.Sprintf("The size of segment %s (%d) is larger than the maximum allowed segment size of %d", path, info.Size(), math.MaxInt32))
	}
	return &segmentFile{file, path, 0, int(info.Size()), true}, nil
}

func (s *segmentFile) close() { s.file.Close() }

func (s *segmentFile) String() string {
	end := s.end
	if s.whole {
		end = math.MaxInt32
	}
	return fmt.Sprintf("FileRecords(size=%d, file=%s, start=%d, end=%d)", s.end-s.start, s.path, s.start, end)
}

// slice is the part from position on, of at most size bytes.
func (s *segmentFile) slice(position, size int) (*segmentFile, error) {
	switch {
	case position < 0:
		return nil, illegalArgument(fmt.Sprintf("Invalid position: %d in read from %s", position, s))
	case position > s.end-s.start:
		return nil, illegalArgument(fmt.Sprintf("Slice from position %d exceeds end position of %s", position, s))
	case size < 0:
		return nil, illegalArgument(fmt.Sprintf("Invalid size: %d in read from %s", size, s))
	}
	start := s.start + position
	return &segmentFile{s.file, s.path, start, min(start+size, s.end), false}, nil
}

// headerUpToMagic is what Kafka reads of a batch to know its size and format.
const headerUpToMagic = 17

// batches walks over the whole batches of the range, and ends quietly at one that is cut off.
func (s *segmentFile) batches() iter.Seq2[*dumpedBatch, error] {
	return func(yield func(*dumpedBatch, error) bool) {
		for position := s.start; position < s.end-headerUpToMagic; {
			var header [headerUpToMagic]byte
			if _, err := s.file.ReadAt(header[:], int64(position)); err != nil {
				yield(nil, fileException(s.path, err))
				return
			}
			size := int(int32(binary.BigEndian.Uint32(header[8:])))
			if size < record.MinLegacySize {
				yield(nil, &exception{class: "org.apache.kafka.common.errors.CorruptRecordException", message: fmt.Sprintf(
					"Found record size %d smaller than minimum record overhead (%d) in file %s.", size, record.MinLegacySize, s.path)})
				return
			}
			if position > s.end-record.LogOverhead-size {
				return
			}
			b := &dumpedBatch{segment: s, position: position, size: record.LogOverhead + size,
				offset: int64(binary.BigEndian.Uint64(header[:])), magic: int8(header[16])}
			if !yield(b, nil) {
				return
			}
			position += b.size
		}
	}
}

// A dumpedBatch is a batch in a file, of any format, whose bytes are read when they are needed.
type dumpedBatch struct {
	segment        *segmentFile
	position, size int
	offset         int64 // in the header: of the first record in format v2, of the last before
	magic          int8
}

// load reads the first n bytes.
func (b *dumpedBatch) load(n int) ([]byte, error) {
	bytes := make([]byte, n)
	if _, err := b.segment.file.ReadAt(bytes, int64(b.position)); err != nil {
		return nil, kafkaException(fmt.Sprintf("Failed to load record batch at position %d from %s", b.position, b.segment))
	}
	return bytes, nil
}

func (b *dumpedBatch) isLegacy() bool { return b.magic < record.Magic }

// header reads the header of a batch of format v2.
func (b *dumpedBatch) header() (record.Batch, error) {
	bytes, err := b.load(record.HeaderSize)
	return record.Batch(bytes), err
}

func (b *dumpedBatch) lastOffset() (int64, error) {
	if b.isLegacy() {
		return b.offset, nil
	}
	header, err := b.header()
	if err != nil {
		return 0, err
	}
	return header.LastOffset(), nil
}

// A dumpedRecord is a record of any format.
type dumpedRecord struct {
	offset, timestamp int64
	key, value        []byte         // nil for null
	sequence          int32          // format v2
	v2                *record.Record // nil in older formats
	crc               uint32         // older formats
	valid             bool
}

// records walks over the records. Those of a compressed batch come only if all of them can be read.
func (b *dumpedBatch) records() iter.Seq2[dumpedRecord, error] {
	if b.isLegacy() {
		return b.legacyRecords()
	}
	return func(yield func(dumpedRecord, error) bool) {
		bytes, err := b.load(b.size)
		if err == nil && len(bytes) < record.HeaderSize {
			err = &exception{class: "java.lang.IndexOutOfBoundsException"}
		}
		if err != nil {
			yield(dumpedRecord{}, err)
			return
		}
		batch := record.Batch(bytes)
		if batch.Attributes().Codec() != record.None {
			for _, err := range batch.Records(0) {
				if err != nil {
					yield(dumpedRecord{}, recordException(err))
					return
				}
			}
		}
		// The last record counts only when nothing follows it.
		var last *dumpedRecord
		left := batch.Count()
		for r, err := range batch.Records(0) {
			if err != nil {
				yield(dumpedRecord{}, recordException(err))
				return
			}
			sequence := record.NoSequence
			if batch.BaseSequence() >= 0 {
				sequence = record.AddSequence(batch.BaseSequence(), r.OffsetDelta)
			}
			d := dumpedRecord{offset: r.Offset, timestamp: r.Timestamp, key: r.Key, value: r.Value, sequence: sequence, v2: &r}
			if left--; left == 0 {
				last = &d
			} else if !yield(d, nil) {
				return
			}
		}
		if last != nil {
			yield(*last, nil)
		}
	}
}

func (b *dumpedBatch) legacyRecords() iter.Seq2[dumpedRecord, error] {
	return func(yield func(dumpedRecord, error) bool) {
		bytes, err := b.load(b.size)
		if err != nil {
			yield(dumpedRecord{}, err)
			return
		}
		for r, err := range record.Legacy(bytes).Records(0) {
			if err != nil {
				yield(dumpedRecord{}, recordException(err))
				return
			}
			if !yield(dumpedRecord{offset: r.Offset, timestamp: r.Timestamp, key: r.Key, value: r.Value, crc: r.CRC, valid: r.Valid}, nil) {
				return
			}
		}
	}
}

// recordException names a fault of package record as Kafka does.
func recordException(err error) error {
	class, message := "org.apache.kafka.common.InvalidRecordException", err.Error()
	if e, ok := errors.AsType[*kafka.Error](err); ok {
		message = e.Message
		switch e.Code {
		case kafka.CorruptMessage:
			class = "org.apache.kafka.common.errors.CorruptRecordException"
		case kafka.MessageTooLarge:
			class = "org.apache.kafka.common.errors.RecordTooLargeException"
		case kafka.UnsupportedCompressionType:
			class = "java.lang.IllegalArgumentException"
		}
	}
	if failed := "Failed to decompress record stream"; strings.HasPrefix(message, failed) {
		return kafkaException(message)
	}
	return &exception{class: class, message: message}
}
