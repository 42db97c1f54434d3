package peer

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

const (
	inputBytes = 16 << 10
	// firstBytes is the memory that a frame gets before any of it came, if no frame as large came before.
	firstBytes = 64 << 10
	// keptBytes is the size from which memory is given back once frames are much smaller than it.
	keptBytes = 1 << 20
)

// frames cuts a connection's input into frames, all in the same memory.
type frames struct {
	in    *bufio.Reader
	max   int
	frame []byte
	small int // frames in a row that needed less than a quarter of the memory
}

func newFrames(from io.Reader, most int) *frames {
	return &frames{in: bufio.NewReaderSize(from, inputBytes), max: most}
}

// next reads a frame, which is valid until the next one.
func (f *frames) next() ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(f.in, length[:]); err != nil {
		return nil, err
	}
	size := int(int32(binary.BigEndian.Uint32(length[:])))
	if size < 0 || size > f.max {
		return nil, fmt.Errorf("a response of %d bytes is announced; at most %d are taken", size, f.max)
	}
	f.shrink(size)
	for have := 0; ; {
		if room := min(size, cap(f.frame)); have < room {
			if _, err := io.ReadFull(f.in, f.frame[have:room]); err != nil {
				return nil, unexpected(err)
			}
			have = room
		}
		if have == size {
			return f.frame[:size], nil
		}
		larger := make([]byte, min(size, max(firstBytes, 2*cap(f.frame))))
		copy(larger, f.frame[:have])
		f.frame = larger
	}
}

// shrink gives back memory that has been far too large for a while.
func (f *frames) shrink(size int) {
	const patience = 16
	if cap(f.frame) < keptBytes || size > cap(f.frame)/4 {
		f.small = 0
		return
	}
	if f.small++; f.small >= patience {
		f.frame, f.small = nil, 0
	}
}

// exactly reads a frame and nothing of what may follow it.
func (f *frames) exactly() ([]byte, error) {
	frame, err := f.next()
	if err == nil && f.in.Buffered() > 0 {
		err = fmt.Errorf("%d bytes came that nobody asked for", f.in.Buffered())
	}
	return frame, err
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
