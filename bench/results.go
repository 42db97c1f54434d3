package main

import (
	"encoding/json"
	"os"
	"reflect"
	"runtime"
	"slices"
	"time"
)

// Results are all samples of a benchmark.
type Results struct {
	Time    time.Time          `json:"time"`
	Machine string             `json:"machine"`
	CPUs    int                `json:"cpus"`
	Rounds  int                `json:"rounds"`
	Seconds float64            `json:"seconds"`
	Sizes   map[string]float64 `json:"program_mb"`
	Idles   map[string][]Idle  `json:"start_and_idle"`
	Rows    []*Row             `json:"rows"`
}

// A Row is what one Work made of every contender.
type Row struct {
	Name    string    `json:"name"`
	Unit    string    `json:"unit"`
	Columns []*Column `json:"contenders"`
}

// A Column is one contender's part of a row.
type Column struct {
	Contender string   `json:"contender"`
	Median    Sample   `json:"median"`
	Samples   []Sample `json:"samples"`
}

func newResults(o Options) *Results {
	return &Results{
		Time: time.Now().UTC().Truncate(time.Second), Machine: processor(), CPUs: runtime.NumCPU(), Rounds: o.Rounds, Seconds: o.Seconds,
		Sizes: map[string]float64{}, Idles: map[string][]Idle{},
	}
}

func (r *Results) add(w *Work, c *Contender, s Sample) {
	i := slices.IndexFunc(r.Rows, func(row *Row) bool { return row.Name == w.name })
	if i < 0 {
		i = len(r.Rows)
		r.Rows = append(r.Rows, &Row{Name: w.name, Unit: w.unit})
	}
	row := r.Rows[i]
	j := slices.IndexFunc(row.Columns, func(col *Column) bool { return col.Contender == c.Name })
	if j < 0 {
		j = len(row.Columns)
		row.Columns = append(row.Columns, &Column{Contender: c.Name})
	}
	col := row.Columns[j]
	col.Samples = append(col.Samples, s)
	col.Median = median(col.Samples)
}

// median returns a struct whose every number is the median of that number over all.
func median[T any](all []T) T {
	var m T
	fields := reflect.ValueOf(&m).Elem()
	for i := range fields.NumField() {
		values := make([]reflect.Value, len(all))
		for j := range all {
			values[j] = reflect.ValueOf(&all[j]).Elem().Field(i)
		}
		slices.SortFunc(values, func(a, b reflect.Value) int {
			if a.CanInt() {
				return int(min(max(a.Int()-b.Int(), -1), 1))
			}
			switch d := a.Float() - b.Float(); {
			case d < 0:
				return -1
			case d > 0:
				return 1
			}
			return 0
		})
		fields.Field(i).Set(values[(len(values)-1)/2])
	}
	return m
}

func (r *Results) writeJSON(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
