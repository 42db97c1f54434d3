package server

import (
	"io"
	"os"
)

// fileRange is a wire.Source that lies in a file, as commitlog.Span does.
type fileRange interface {
	// File returns the open file and where the range begins; nil if there is no such file.
	File() (f *os.File, position int64)
	// Unreadable is told that the file could not be read.
	Unreadable(err error)
}

// sendFile writes what was gathered, and then size bytes of f.
func (c *conn) sendFile(f *os.File, position int64, size int) error {
	o := &c.out
	if o.gathered > coalesceBytes {
		if err := c.writeVector(); err != nil {
			return err
		}
	}
	o.flat = o.flat[:0]
	for _, s := range o.backing {
		o.flat = append(o.flat, s...)
	}
	clear(o.backing)
	o.backing, o.gathered = o.backing[:0], 0
	c.sendfile.begin(o.flat, f, position)
	for size > 0 {
		chunk := min(size, writeChunk)
		c.stamp.writes.Add(1)
		err := c.sendfile.send(chunk)
		c.stamp.writes.Add(1)
		c.stamp.seen.Store(true)
		if err == io.ErrUnexpectedEOF {
			return &unreadable{err}
		}
		if err != nil {
			return err
		}
		size -= chunk
	}
	return nil
}
