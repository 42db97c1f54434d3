package storagecheck

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Severity is how bad a finding is.
type Severity int8

// The severities, worst last.
const (
	// Leftover is harmless: it goes at the next start, or is left alone.
	Leftover Severity = iota
	// Rebuilt is wrong now and put right by the next start, or at its first use, without losing anything that was
	// durable.
	Rebuilt
	// Damaged is wrong and no start puts it right: records that cannot be read or that the next start would cut,
	// or files derived from them that the broker would believe.
	Damaged
	// Lost means that records are not there any more.
	Lost
)

var severityNames = [...]string{"leftover", "rebuilt", "damaged", "lost"}

func (s Severity) String() string { return severityNames[s] }

// MarshalText makes severities words in JSON.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// None stands for "no number" in a Finding.
const None int64 = -1

// Finding is one thing that is wrong in a directory.
type Finding struct {
	Severity Severity
	// Partition is topic-partition; "" for the directory's own files.
	Partition string
	// File is the path below the directory.
	File string
	// Position is the byte in the file where it begins, Bytes how many are concerned; None if that says nothing.
	Position, Bytes int64
	// FirstOffset and LastOffset are the offsets concerned; None if none are.
	FirstOffset, LastOffset int64
	// Problem says what is wrong, with the numbers.
	Problem string
	// Outcome says what the next start makes of it, or what to do.
	Outcome string
}

// Offsets is how many offsets are concerned.
func (f *Finding) Offsets() int64 {
	if f.FirstOffset == None || f.LastOffset < f.FirstOffset {
		return 0
	}
	return f.LastOffset - f.FirstOffset + 1
}

// String is the finding on one line.
func (f *Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", f.Severity, f.File)
	if f.Position != None {
		fmt.Fprintf(&b, " at position %d", f.Position)
	}
	switch n := f.Offsets(); {
	case n == 1:
		fmt.Fprintf(&b, " (offset %d)", f.FirstOffset)
	case n > 1:
		fmt.Fprintf(&b, " (offsets %d to %d, %d of them)", f.FirstOffset, f.LastOffset, n)
	}
	fmt.Fprintf(&b, ": %s. %s", f.Problem, f.Outcome)
	return b.String()
}

// MarshalJSON leaves out what says nothing.
func (f Finding) MarshalJSON() ([]byte, error) {
	number := func(n int64) *int64 {
		if n == None {
			return nil
		}
		return &n
	}
	return json.Marshal(struct {
		Severity    Severity `json:"severity"`
		Partition   string   `json:"partition,omitempty"`
		File        string   `json:"file,omitempty"`
		Position    *int64   `json:"position,omitempty"`
		Bytes       *int64   `json:"bytes,omitempty"`
		FirstOffset *int64   `json:"firstOffset,omitempty"`
		LastOffset  *int64   `json:"lastOffset,omitempty"`
		Problem     string   `json:"problem"`
		Outcome     string   `json:"outcome"`
	}{f.Severity, f.Partition, f.File, number(f.Position), number(f.Bytes), number(f.FirstOffset), number(f.LastOffset), f.Problem, f.Outcome})
}

// maxFindings is how many findings of one severity are kept per partition; the rest is counted.
const maxFindings = 100

// findings collects those of one partition or of the directory's own files.
type findings struct {
	partition string
	list      []Finding
	counts    [len(severityNames)]int
}

// add enters a finding without position and offsets.
func (f *findings) add(s Severity, file, outcome, problem string, args ...any) *Finding {
	return f.put(Finding{Severity: s, File: file, Position: None, Bytes: None, FirstOffset: None, LastOffset: None, Problem: fmt.Sprintf(problem, args...), Outcome: outcome})
}

// put enters a finding and returns it for additions; what is over the limit is returned all the same.
func (f *findings) put(x Finding) *Finding {
	x.Partition = f.partition
	f.counts[x.Severity]++
	if f.counts[x.Severity] > maxFindings {
		return &x
	}
	f.list = append(f.list, x)
	return &f.list[len(f.list)-1]
}

// at sets where a finding begins.
func (f *Finding) at(position, bytes int64) *Finding {
	f.Position, f.Bytes = position, bytes
	return f
}

// offsets sets the offsets that a finding concerns.
func (f *Finding) offsets(first, last int64) *Finding {
	f.FirstOffset, f.LastOffset = first, last
	return f
}

// close adds a line about what was over the limit.
func (f *findings) close() {
	for s, n := range f.counts {
		if over := n - maxFindings; over > 0 {
			f.list = append(f.list, Finding{Severity: Severity(s), Partition: f.partition, File: f.partition, Position: None, Bytes: None, FirstOffset: None, LastOffset: None,
				Problem: fmt.Sprintf("%d more findings that are %s", over, Severity(s)), Outcome: "They are of the same kinds as those above."})
		}
	}
}
