//go:build unix

package harness

import "syscall"

// Pause stops the process where it is (SIGSTOP), until Resume.
func (b *Broker) Pause() {
	b.t.Helper()
	b.signal(syscall.SIGSTOP)
}

// Resume lets a paused process go on.
func (b *Broker) Resume() {
	b.t.Helper()
	b.signal(syscall.SIGCONT)
}

func (b *Broker) signal(s syscall.Signal) {
	b.t.Helper()
	if err := b.cmd.Process.Signal(s); err != nil {
		b.t.Fatalf("%v: %v", s, err)
	}
}
