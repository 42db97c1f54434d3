package harness

import "syscall"

// DieWithParent makes the kernel kill a process when the test process that started it dies without its clean-up (a timeout's
// panic, kill -9).
func DieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
