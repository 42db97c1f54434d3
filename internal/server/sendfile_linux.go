package server

import (
	"io"
	"net"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// fileSender sends ranges of files over a TCP connection by sendfile(2): the bytes go from the page cache to the network
// without passing through this process.
type fileSender struct {
	raw  syscall.RawConn
	step func(fd uintptr) (done bool) // a value made once: using it allocates nothing

	head     []byte // goes first, in the same packets
	file     *os.File
	position int64
	left     int
	err      error
}

// newFileSender returns nil if the kernel cannot send files over nc.
func newFileSender(nc net.Conn) *fileSender {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	f := &fileSender{raw: raw}
	f.step = f.advance
	return f
}

// begin sets what the next calls of send send: head, then file from a position on. head is not touched after the first.
func (f *fileSender) begin(head []byte, file *os.File, position int64) {
	f.head, f.file, f.position = head, file, position
}

// send sends what is left of the head and the next n bytes of the file. It waits while the peer takes nothing, as a
// Write does.
func (f *fileSender) send(n int) error {
	f.left, f.err = n, nil
	err := f.raw.Write(f.step)
	runtime.KeepAlive(f.file)
	if f.err != nil {
		return f.err
	}
	return err
}

// advance sends what the socket takes; it returns false to be called again when that is more.
func (f *fileSender) advance(fd uintptr) (done bool) {
	for len(f.head) > 0 {
		n, err := unix.SendmsgN(int(fd), f.head, nil, nil, unix.MSG_MORE|unix.MSG_NOSIGNAL)
		if done, retry := f.failed("sendmsg", err); !retry {
			return done
		}
		f.head = f.head[max(n, 0):]
	}
	for f.left > 0 {
		n, err := unix.Sendfile(int(fd), int(f.file.Fd()), &f.position, f.left)
		if n == 0 && err == nil {
			err = io.ErrUnexpectedEOF // the file is shorter than the reply says
		}
		if done, retry := f.failed("sendfile", err); !retry {
			return done
		}
		f.left -= max(n, 0)
	}
	return true
}

// failed sorts the outcome of a system call: retry says to go on at once, else done is what advance returns.
func (f *fileSender) failed(call string, err error) (done, retry bool) {
	switch err {
	case nil, unix.EINTR:
		return false, true
	case unix.EAGAIN:
		return false, false
	case io.ErrUnexpectedEOF:
		f.err = err
	default:
		f.err = os.NewSyscallError(call, err)
	}
	return true, false
}
