package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// profileBytes is what a profiled run may write: more than a measured one, so that there are enough samples.
const profileBytes = 4 << 30

var notInFileNames = regexp.MustCompile(`[^A-Za-z0-9]+`)

// profile runs the row once more for Ottla while it records a CPU profile, prints what an average request allocates, and
// leaves the profiles in the directory of -profile. The figures of this run are not in the table.
func (b *bench) profile(ctx context.Context, w *Work, c *Contender, kept map[*Contender]*Load) error {
	ottla, ok := c.Broker.(*Ottla)
	if !ok {
		return nil
	}
	if err := os.MkdirAll(b.Profile, 0o755); err != nil {
		return err
	}
	base := filepath.Join(b.Profile, strings.Trim(notInFileNames.ReplaceAllString(w.name+" "+c.Name, "-"), "-"))
	seconds := int(max(b.Duration(), 5*time.Second).Seconds())
	p := &profiler{http: ottla.HTTP(), base: base, seconds: seconds}
	limits := Limits{WarmUp: lead, WarmUpBytes: leadBytes, Measure: time.Duration(seconds+1) * time.Second, MeasureBytes: profileBytes}
	sample, err := b.runOnce(ctx, w, c, kept, limits, p.around)
	if err != nil {
		return err
	}
	if p.err != nil {
		return p.err
	}
	log.Printf("profile of %s: %s: %.1f allocations, %.0f bytes per %s, %d collections: %s.cpu", w.name, c.Name,
		ratio(p.after.mallocs-p.before.mallocs, float64(sample.Requests)), ratio(p.after.bytes-p.before.bytes, float64(sample.Requests)), w.unit,
		int(p.after.collections-p.before.collections), base)
	return nil
}

// A profiler takes profiles from the broker's http.address during the measured part of a run.
type profiler struct {
	http, base string
	seconds    int

	before, after memory
	wait          sync.WaitGroup
	err           error
}

// memory are counters of the broker's Go runtime.
type memory struct{ mallocs, bytes, collections float64 }

func (p *profiler) around(begin bool) {
	if begin {
		p.before, p.err = p.memory()
		p.wait.Go(func() {
			if err := p.save(fmt.Sprintf("/debug/pprof/profile?seconds=%d", p.seconds), p.base+".cpu"); err != nil {
				p.err = err
			}
		})
		return
	}
	after, err := p.memory()
	p.after = after
	p.wait.Wait()
	if p.err == nil {
		p.err = err
	}
	if err := p.save("/debug/pprof/allocs", p.base+".allocs"); p.err == nil {
		p.err = err
	}
}

func (p *profiler) get(path string) (*http.Response, error) {
	rs, err := http.Get("http://" + p.http + path)
	if err == nil && rs.StatusCode != http.StatusOK {
		rs.Body.Close()
		err = fmt.Errorf("http.address answered %s to %s", rs.Status, path)
	}
	return rs, err
}

func (p *profiler) save(path, file string) error {
	rs, err := p.get(path)
	if err != nil {
		return err
	}
	defer rs.Body.Close()
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, rs.Body); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// memory reads the runtime's counters from the broker's metrics.
func (p *profiler) memory() (memory, error) {
	var m memory
	rs, err := p.get("/metrics")
	if err != nil {
		return m, err
	}
	defer rs.Body.Close()
	lines := bufio.NewScanner(rs.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		var to *float64
		switch name {
		case "go_memstats_mallocs_total":
			to = &m.mallocs
		case "go_memstats_alloc_bytes_total":
			to = &m.bytes
		case "go_gc_duration_seconds_count":
			to = &m.collections
		default:
			continue
		}
		if *to, err = strconv.ParseFloat(value, 64); err != nil {
			return m, fmt.Errorf("metric %s: %w", name, err)
		}
	}
	return m, lines.Err()
}
