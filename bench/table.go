package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// print writes the tables, in Markdown that is aligned for reading as it is.
func (r *Results) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s; %d CPUs, %s; medians of %d rounds of %g s; x = Ottla / Kafka\n\n", r.Time.Format("2006-01-02 15:04"), r.CPUs, r.Machine, r.Rounds, r.Seconds)
	if len(r.Idles) > 0 {
		printTable(w, r.idleTable())
	} else {
		for _, name := range []string{"kafka", "ottla"} {
			if size, ok := r.Sizes[name]; ok {
				fmt.Fprintf(w, "size of %s: %.1f MB\n", name, size)
			}
		}
	}
	if len(r.Rows) > 0 {
		fmt.Fprintln(w)
		printTable(w, r.loadTable())
	}
}

func (r *Results) idleTable() [][]string {
	table := [][]string{{startRow, "first answer ms", "x", "first record ms", "x", "idle RSS MB", "x", "idle CPU ms/s", "x", "program MB", "x"}}
	var base []float64
	for _, name := range []string{"kafka", "ottla"} {
		if len(r.Idles[name]) == 0 {
			continue
		}
		m := median(r.Idles[name])
		values := []float64{m.FirstAnswerMs, m.FirstRecordMs, m.ResidentMB, m.CPUPerSecond, r.Sizes[name]}
		if name == "kafka" {
			base = values
		}
		cells := []string{name}
		for i, v := range values {
			cells = append(cells, figure(v), against(v, base, i))
		}
		table = append(table, cells)
	}
	return table
}

func (r *Results) loadTable() [][]string {
	table := [][]string{{"", "CPU µs/request", "x", "CPU s/GB", "x", "requests/s", "x", "MB/s", "p50 ms", "p99 ms", "p99.9 ms", "RSS MB", "generator µs/request"}}
	for _, row := range r.Rows {
		table = append(table, []string{"**" + row.Name + "**"})
		var base []float64
		for _, col := range row.Columns {
			m := col.Median
			values := []float64{m.MicrosPerRequest, m.SecondsPerGB, m.PerSecond}
			if col.Contender == "kafka" {
				base = values
			}
			cells := []string{col.Contender}
			for i, v := range values {
				cells = append(cells, figure(v), against(v, base, i))
			}
			for _, v := range []float64{m.MBPerSecond, m.P50, m.P99, m.P999, m.ResidentMB, m.GeneratorPerRequest} {
				cells = append(cells, figure(v))
			}
			table = append(table, cells)
		}
	}
	return table
}

// against is the ratio to Kafka's figure, if Kafka took part and this is another one.
func against(v float64, base []float64, i int) string {
	if base == nil || base[i] == 0 || base[i] == v {
		return ""
	}
	return strconv.FormatFloat(v/base[i], 'f', 2, 64)
}

// figure writes three significant digits.
func figure(v float64) string {
	switch {
	case v >= 100:
		return thousands(strconv.FormatFloat(v, 'f', 0, 64))
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
}

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func printTable(w io.Writer, table [][]string) {
	columns := len(table[0])
	widths := make([]int, columns)
	for _, cells := range table {
		for i, cell := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, cells := range table {
		var line strings.Builder
		for i := range columns {
			cell := ""
			if i < len(cells) {
				cell = cells[i]
			}
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				fmt.Fprintf(&line, "| %s%s |", cell, pad)
			} else {
				fmt.Fprintf(&line, " %s%s |", pad, cell)
			}
		}
		fmt.Fprintln(w, line.String())
		if n == 0 {
			var rule strings.Builder
			for i, width := range widths {
				if i == 0 {
					rule.WriteString("|" + strings.Repeat("-", width+2) + "|")
				} else {
					rule.WriteString(strings.Repeat("-", width+1) + ":|")
				}
			}
			fmt.Fprintln(w, rule.String())
		}
	}
}

// processor returns the processor's name, as far as the machine tells.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}
