package realkafka

import "syscall"

// dieWithParent makes the kernel kill the node when the process that started it dies without cleaning up.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
