package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// clockTick is the unit of the times in /proc/PID/stat: USER_HZ is 100 on every architecture that Linux runs Go on.
const clockTick = 10 * time.Millisecond

// dieWithParent makes the kernel kill a broker when the benchmark dies without cleaning up.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// cpuTime returns the user and system time that a process has used, all threads, ended ones too.
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field is the program's name in parentheses, which may itself hold anything.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has too few fields: %q", pid, text)
	}
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime are fields 14 and 15 of the line
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// residentBytes returns the memory of a process that is in RAM, files mapped into it included.
func residentBytes(pid int) (int64, error) {
	kb, err := statusOf(pid, "VmRSS")
	return kb << 10, err
}

// proportionalBytes is residentBytes in which a page that n processes share counts 1/n.
func proportionalBytes(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte("Pss:")); ok {
			kb, err := strconv.ParseInt(string(bytes.Fields(value)[0]), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/smaps_rollup has no Pss", pid)
}

// loadAverage is how many threads have run or waited for a processor on this machine in the last minute, on average.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	var load float64
	fmt.Sscan(string(text), &load)
	return load
}

// threads returns how many threads a process has.
func threads(pid int) (int64, error) { return statusOf(pid, "Threads") }

// openDescriptors returns how many file descriptors a process has open.
func openDescriptors(pid int) (int64, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return int64(len(entries)), err
}

// statusOf returns a number from /proc/PID/status, as it stands there.
func statusOf(pid int, name string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte(name+":")); ok {
			return strconv.ParseInt(string(bytes.Fields(value)[0]), 10, 64)
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no %s", pid, name)
}

// ownCPUTime returns what this process, the load generator, has used.
func ownCPUTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// pause stops a process from running until resume.
func pause(pid int) error  { return syscall.Kill(pid, syscall.SIGSTOP) }
func resume(pid int) error { return syscall.Kill(pid, syscall.SIGCONT) }

// syncDisks waits until what was written so far is on disk, so that one run's write-back is not in the next one's time.
func syncDisks() { syscall.Sync() }

// sleep sleeps more exactly than the Go runtime, whose network poller rounds up to milliseconds. The caller has locked its
// goroutine to a thread.
func sleep(d time.Duration) {
	if d > 0 {
		t := syscall.NsecToTimespec(int64(d))
		syscall.Nanosleep(&t, nil)
	}
}
