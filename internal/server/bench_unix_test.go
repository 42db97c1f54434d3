//go:build unix

package server_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ottla/ottla/internal/server"
)

// loadVariable makes the test binary the load generator of BenchmarkEcho: "address connections inFlight
// requests".
const loadVariable = "OTTLA_SERVER_BENCH_LOAD"

func TestMain(m *testing.M) {
	if load := os.Getenv(loadVariable); load != "" {
		if err := generate(load); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// generate sends requests of 1.2 KB on each connection, inFlight at a time, and reads the replies.
func generate(load string) error {
	fields := strings.Fields(load)
	numbers := make([]int, 3)
	for i := range numbers {
		n, err := strconv.Atoi(fields[i+1])
		if err != nil {
			return err
		}
		numbers[i] = n
	}
	var connections sync.WaitGroup
	errs := make(chan error, numbers[0])
	for range numbers[0] {
		connections.Go(func() { errs <- generateOn(fields[0], numbers[1], numbers[2]/numbers[0]) })
	}
	connections.Wait()
	for range numbers[0] {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

func generateOn(address string, inFlight, requests int) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	one := binary.BigEndian.AppendUint32(nil, 1200)
	one = append(one, make([]byte, 1200)...)
	reply := make([]byte, inFlight*replySize)
	var many []byte
	for range inFlight {
		many = append(many, one...)
	}
	sent, owed := 0, 0
	for received := 0; received < requests; {
		if n := min(inFlight-owed, requests-sent); n > 0 {
			if _, err := c.Write(many[:n*len(one)]); err != nil {
				return err
			}
			sent, owed = sent+n, owed+n
		}
		n, err := io.ReadAtLeast(c, reply[:owed*replySize], replySize)
		if err != nil {
			return err
		}
		if rest := n % replySize; rest > 0 {
			if _, err := io.ReadFull(c, reply[:replySize-rest]); err != nil {
				return err
			}
			n += replySize - rest
		}
		received, owed = received+n/replySize, owed-n/replySize
	}
	return nil
}

const replySize = 64

// BenchmarkEcho reports the server's own CPU per request, with the load generator in another process. "late"
// answers from another goroutine, as acks=all does.
func BenchmarkEcho(b *testing.B) {
	for _, late := range []bool{false, true} {
		for _, connections := range []int{1, 16} {
			for _, inFlight := range []int{1, 5} {
				b.Run(fmt.Sprintf("late=%v/conns=%d/inflight=%d", late, connections, inFlight), func(b *testing.B) {
					benchmarkEcho(b, late, connections, inFlight)
				})
			}
		}
	}
}

func benchmarkEcho(b *testing.B, late bool, connections, inFlight int) {
	short := make([]byte, replySize-4)
	done := make(chan *server.Request, 1024)
	f := start(b, server.Options{Handler: handlerFunc(func(rq *server.Request) {
		if late {
			done <- rq
		} else {
			reply(rq, short)
		}
	})})
	if late {
		go func() {
			for rq := range done {
				reply(rq, short)
			}
		}()
		defer close(done)
	}
	n := max(b.N, connections)
	load := exec.Command(os.Args[0])
	load.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d %d", loadVariable, f.listenTCP(), connections, inFlight, n))
	load.Stderr = os.Stderr
	b.ReportAllocs()
	before, start := cpuTime(b), time.Now()
	b.ResetTimer()
	if err := load.Run(); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(n)/time.Since(start).Seconds(), "req/s")
	b.ReportMetric(float64(cpuTime(b)-before)/float64(time.Microsecond)/float64(n), "cpu-µs/req")
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
