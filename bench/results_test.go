package main

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestQuantilesAreWithinABucket(t *testing.T) {
	var h Histogram
	for i := 1; i <= 10_000; i++ {
		h.Add(time.Duration(i) * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 5 * time.Millisecond, 0.99: 9900 * time.Microsecond, 0: time.Microsecond} {
		if got := h.Quantile(q); math.Abs(float64(got-want)) > float64(want)/32+1 {
			t.Errorf("quantile %g is %v, want about %v", q, got, want)
		}
	}
	for _, d := range []time.Duration{-1, 0, 31, 32, math.MaxInt64} {
		h.Add(d)
	}
}

func TestMedianIsFieldByField(t *testing.T) {
	m := median([]Sample{{Requests: 3, P50: 1}, {Requests: 1, P50: 9}, {Requests: 2, P50: 5}})
	if m.Requests != 2 || m.P50 != 5 {
		t.Errorf("median %+v", m)
	}
}

func TestTableHasRatios(t *testing.T) {
	r := newResults(Options{Rounds: 1, Seconds: 1})
	w := &Work{name: "row", unit: "request"}
	r.add(w, &Contender{Name: "kafka"}, Sample{MicrosPerRequest: 40})
	r.add(w, &Contender{Name: "ottla"}, Sample{MicrosPerRequest: 10})
	r.Idles["kafka"] = []Idle{{FirstAnswerMs: 2700}}
	r.Idles["ottla"] = []Idle{{FirstAnswerMs: 27}}
	var out strings.Builder
	r.print(&out)
	for _, want := range []string{"0.25", "0.01", "2,700"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
}

func TestStorageGoals(t *testing.T) {
	r := newResults(Options{Rounds: 1, Seconds: 1})
	add := func(row, contender string, s Sample) {
		r.add(&Work{name: row, unit: "record"}, &Contender{Name: contender}, s)
	}
	add(throughputRow(12), kafkaCached, Sample{PerSecond: 1000})
	add(throughputRow(12), ottlaSynced, Sample{PerSecond: 2000})
	add(throughputRow(100), kafkaCached, Sample{PerSecond: 1000})
	add(throughputRow(100), ottlaSynced, Sample{PerSecond: 500})
	add(rateRow(1), ottlaSynced, Sample{P99: 2, AckP99: 1})
	add(rateRow(1000), ottlaSynced, Sample{P99: 9, AckP99: 6})
	got := strings.Join(r.goals(), "\n")
	for _, want := range []string{"12 partitions: 2,000 against 1,000 records/s, x 2.00: met", "100 partitions: 500 against 1,000 records/s, x 0.50: MISSED",
		"9.00 against 2.00 ms, x 4.50: met", "6.00 against 1.00 ms, x 6.00: MISSED"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
	var out strings.Builder
	r.printStorage(&out)
	if !strings.Contains(out.String(), "**end to end, 1,000 records/s, 1,000 partitions**") {
		t.Error(out.String())
	}
}
