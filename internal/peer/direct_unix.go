//go:build unix

package peer

import "syscall"

const canWriteAtOnce = true

// writeAtOnce writes to a socket, which is in non-blocking mode, and returns how many bytes it took.
func writeAtOnce(fd uintptr, p []byte) int {
	n, err := syscall.Write(int(fd), p)
	if err != nil {
		return 0
	}
	return n
}
