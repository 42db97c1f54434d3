package peer

import (
	"net"
	"syscall"
)

// directWriter writes to a socket without ever waiting.
type directWriter struct {
	raw     syscall.RawConn
	attempt func(fd uintptr) bool // a value made once: using it allocates nothing
	p       []byte
	n       int
}

// newDirectWriter returns nil if the connection cannot be written to without waiting (pipes, Windows).
func newDirectWriter(conn net.Conn) *directWriter {
	tcp, ok := conn.(*net.TCPConn)
	if !ok || !canWriteAtOnce {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	d := &directWriter{raw: raw}
	d.attempt = func(fd uintptr) bool {
		d.n = writeAtOnce(fd, d.p)
		return true // never wait
	}
	return d
}

// write hands as much of p to the socket as it takes now, and returns how much that was. Why it was less, the next write meets
// again.
func (d *directWriter) write(p []byte) int {
	d.p, d.n = p, 0
	err := d.raw.Write(d.attempt)
	d.p = nil
	if err != nil {
		return 0
	}
	return d.n
}
