package record

import (
	"errors"
	"fmt"

	"github.com/ottla/ottla/internal/kafka"
)

// Codec is the number of a compression codec in a batch's attributes. Numbers 5 to 7 have no codec.
type Codec int8

// The codecs of Kafka.
const (
	None Codec = iota
	Gzip
	Snappy
	LZ4
	Zstd
)

var codecNames = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// Known reports whether the number stands for a codec.
func (c Codec) Known() bool { return c >= None && c <= Zstd }

func (c Codec) String() string {
	if !c.Known() {
		return fmt.Sprintf("codec %d", int8(c))
	}
	return codecNames[c]
}

// Compression is a codec and how hard it tries.
type Compression struct {
	Codec Codec
	// Level is compression.gzip.level (1 to 9, -1: the default), compression.lz4.level (1 to 17; 9 is
	// the fast compressor as in Kafka) or compression.zstd.level (-131072 to 22). Snappy has none.
	// NewCompression knows the defaults.
	Level int
}

// NewCompression returns the codec at Kafka's default level: gzip -1, lz4 9, zstd 3.
func NewCompression(c Codec) Compression {
	switch c {
	case Gzip:
		return Compression{c, -1}
	case LZ4:
		return Compression{c, lz4FastLevel}
	case Zstd:
		return Compression{c, 3}
	}
	return Compression{Codec: c}
}

// ParseCompression reads the topic setting compression.type. For "producer" it returns nil: batches
// keep the codec they came with. The level is the codec's default.
func ParseCompression(text string) (*Compression, error) {
	switch text {
	case "producer":
		return nil, nil
	case "uncompressed":
		return &Compression{}, nil
	}
	for c, name := range codecNames {
		if c != int(None) && name == text {
			found := NewCompression(Codec(c))
			return &found, nil
		}
	}
	return nil, kafka.Errorf(kafka.InvalidConfig, "Invalid value %s for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer", text)
}

// Compress appends src, compressed, to dst. The formats are those that Java writes: xerial frames for
// snappy, frames of independent 64 KiB blocks without checksums for lz4.
func Compress(dst []byte, c Compression, src []byte) ([]byte, error) {
	switch c.Codec {
	case None:
		return append(dst, src...), nil
	case Gzip:
		return compressGzip(dst, src, c.Level)
	case Snappy:
		return compressXerial(dst, src), nil
	case LZ4:
		return compressLZ4(dst, src, c.Level)
	case Zstd:
		return compressZstd(dst, src, c.Level)
	}
	return dst, errUnknownCodec(c.Codec)
}

// Decompress appends src, decompressed, to dst. It stops with MESSAGE_TOO_LARGE as soon as that would
// be more than maxBytes, before it takes the memory. Damaged input is INVALID_RECORD, an unknown codec
// UNSUPPORTED_COMPRESSION_TYPE.
func Decompress(dst []byte, c Codec, src []byte, maxBytes int) ([]byte, error) {
	var rd Reader
	rd.buffer = newBuffer(dst, maxBytes)
	if err := rd.output.decompress(&rd.buffer, c, src, maxBytes); err != nil {
		return dst, err
	}
	return rd.buffer.bytes, nil
}

// decompress passes src to a sink, decompressed; its errors are those of Decompress and of the sink. What it
// keeps in memory does not grow with maxBytes: a window of the codec's format, see decompressZstd.
func (o *output) decompress(to sink, c Codec, src []byte, maxBytes int) error {
	*o = output{to, maxBytes, maxBytes}
	var err error
	switch c {
	case None:
		if len(src) > maxBytes {
			return errTooMuch(c, len(src), maxBytes)
		}
		return o.accept(copy(to.space(len(src)), src))
	case Gzip:
		err = decompressGzip(o, src)
	case Snappy:
		err = decompressSnappy(o, src)
	case LZ4:
		err = decompressLZ4(o, src)
	case Zstd:
		err = decompressZstd(o, src)
	default:
		return errUnknownCodec(c)
	}
	switch err {
	case nil, errStop:
		return err
	case errBudget:
		return errTooMuch(c, len(src), maxBytes)
	}
	return kafka.Errorf(kafka.InvalidRecord, "Failed to decompress record stream of %d bytes (%s): %v", len(src), c, err)
}

// budgetError is what the codecs return when the output would not fit.
type budgetError struct{}

func (budgetError) Error() string { return "decompresses to more than the budget" }

// errBudget is compared by identity; codecs return nothing else for "too much".
var errBudget error = budgetError{}

// errStop is what a sink returns that has seen enough.
var errStop = errors.New("the rest is not needed")

func errTooMuch(c Codec, size, maxBytes int) error {
	return kafka.Errorf(kafka.MessageTooLarge, "Record batch with %d bytes of %s decompresses to more than %d bytes, the limit for a batch of this size. "+
		"Send smaller batches (producer settings batch.size and linger.ms).", size, c, maxBytes)
}

func errUnknownCodec(c Codec) error {
	return kafka.Errorf(kafka.UnsupportedCompressionType, "Unknown compression type id: %d (known are 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd)", int8(c))
}
