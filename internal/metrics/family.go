package metrics

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
)

type kind uint8

const (
	kindCounter kind = iota
	kindGauge
	kindHistogram
)

// spec is what a family is registered as.
type spec struct {
	name, help string
	kind       kind
	labels     []string
	scale      float64 // of a histogram
}

// family is a metric with its children.
type family struct {
	spec
	desc, count, sum *prometheus.Desc // count and sum: of a histogram

	mu struct {
		sync.Mutex
		children map[string]*child
		limit    int // 0: none
	}
}

// child is one series; exactly one of the three is set, by the family's kind.
type child struct {
	labels    []string
	counter   *Counter
	gauge     *Gauge
	histogram *Histogram
}

func newFamily(f spec) *family {
	made := &family{spec: f}
	made.mu.children = make(map[string]*child)
	if f.kind == kindHistogram {
		made.desc = prometheus.NewDesc(f.name, f.help, append(f.labels[:len(f.labels):len(f.labels)], "quantile"), nil)
		made.count = prometheus.NewDesc(f.name+"_count", f.help+" (number of observations)", f.labels, nil)
		made.sum = prometheus.NewDesc(f.name+"_sum", f.help+" (sum of observations)", f.labels, nil)
	} else {
		made.desc = prometheus.NewDesc(f.name, f.help, f.labels, nil)
	}
	return made
}

// with returns the child with these label values, made now or earlier.
func (f *family) with(values []string) *child {
	if len(values) != len(f.labels) {
		panic(fmt.Sprintf("BUG: metric %s has the labels %q, got %d values", f.name, f.labels, len(values)))
	}
	if slices.ContainsFunc(values, func(v string) bool { return !utf8.ValidString(v) }) {
		values = slices.Clone(values)
		for i, v := range values {
			values[i] = strings.ToValidUTF8(v, "\uFFFD")
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.mu.children[childKey(values)]; c != nil {
		return c
	}
	if f.mu.limit > 0 && len(f.mu.children) >= f.mu.limit-1 {
		values = make([]string, len(values))
		for i := range values {
			values[i] = "other"
		}
		if c := f.mu.children[childKey(values)]; c != nil {
			return c
		}
	}
	c := &child{labels: make([]string, len(values))}
	for i, v := range values {
		c.labels[i] = strings.Clone(v) // a value may alias a request
	}
	switch f.kind {
	case kindCounter:
		c.counter = new(Counter)
	case kindGauge:
		c.gauge = new(Gauge)
	case kindHistogram:
		c.histogram = newHistogram(time.Now())
	}
	f.mu.children[childKey(c.labels)] = c
	return c
}

func (f *family) remove(values []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.mu.children, childKey(values))
}

func (f *family) setLimit(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.limit = n
}

func (f *family) all() []*child {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]*child, 0, len(f.mu.children))
	for _, c := range f.mu.children {
		all = append(all, c)
	}
	return all
}

// childKey joins values with a byte that no valid UTF-8 text holds.
func childKey(values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	return strings.Join(values, "\xff")
}
