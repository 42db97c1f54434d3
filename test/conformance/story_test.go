package conformance

import (
	"strconv"
	"strings"
	"time"
)

// A workerEvent is a line of a member.
type workerEvent struct {
	at        time.Time
	what      string
	partition int
	number    int64 // an epoch, or an offset
	value     string
}

// A story is the lines of one member in order.
type story []workerEvent

// story reads what the process has told.
func (x *process) story() story {
	x.t.Helper()
	var s story
	for line := range strings.Lines(x.output()) {
		f := strings.Fields(line)
		if len(f) < 2 || !strings.HasSuffix(line, "\n") {
			continue
		}
		nanos, err := strconv.ParseInt(f[0], 10, 64)
		if err != nil || nanos < 1e18 {
			continue // of a client's own log
		}
		e := workerEvent{at: time.Unix(0, nanos), what: f[1]}
		switch {
		case e.what == "failed":
			continue
		case e.what == "closed":
			s = append(s, e)
			continue
		case len(f) < 4:
			x.t.Fatalf("%s: %q", x.name, line)
		}
		if e.partition, err = strconv.Atoi(f[2]); err == nil {
			e.number, err = strconv.ParseInt(f[3], 10, 64)
		}
		if err != nil {
			x.t.Fatalf("%s: %v in %q", x.name, err, line)
		}
		e.value = strings.Join(f[4:], " ")
		s = append(s, e)
	}
	return s
}
