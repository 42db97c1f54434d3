package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strconv"
	"time"
)

// clusterFigures are what the runs of both clusters have measured.
type clusterFigures struct {
	Options
	time  time.Time
	names []string // in the order in which they came up
	of    map[string]map[string][]float64
	loads []float64 // load averages of the machine, one a figure
}

func newClusterFigures(o Options) *clusterFigures {
	return &clusterFigures{Options: o, time: time.Now(), of: map[string]map[string][]float64{}}
}

// note takes down one figure of one run.
func (f *clusterFigures) note(name, contender string, value float64) {
	if f.of[name] == nil {
		f.names = append(f.names, name)
		f.of[name] = map[string][]float64{}
	}
	f.of[name][contender] = append(f.of[name][contender], value)
	load := loadAverage()
	f.loads = append(f.loads, load)
	log.Printf("%s: %s: %s (load %.1f)", contender, name, figure(value), load)
}

// print writes the medians side by side, and the worst of all rounds.
func (f *clusterFigures) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s; three nodes on one machine; medians of %d rounds, in brackets the largest; load average %.1f to %.1f; x = Ottla / Kafka\n\n",
		f.time.Format("2006-01-02 15:04"), f.Rounds, slices.Min(f.loads), slices.Max(f.loads))
	table := [][]string{{"", "kafka", "ottla", "x"}}
	for _, name := range f.names {
		row, medians := []string{name}, map[string]float64{}
		for _, contender := range table[0][1:3] {
			values := slices.Sorted(slices.Values(f.of[name][contender]))
			if len(values) == 0 {
				row = append(row, "")
				continue
			}
			medians[contender] = values[(len(values)-1)/2]
			cell := figure(medians[contender])
			if len(values) > 1 {
				cell += " (" + figure(values[len(values)-1]) + ")"
			}
			row = append(row, cell)
		}
		x := ""
		if len(medians) == 2 {
			x = strconv.FormatFloat(ratio(medians["ottla"], medians["kafka"]), 'f', 2, 64)
		}
		table = append(table, append(row, x))
	}
	printTable(w, table)
}

func (f *clusterFigures) writeJSON(path string) error {
	text, err := json.MarshalIndent(f.of, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
