package main

import (
	"fmt"
	"io"
)

// printStorage prints the rows of -storage and what became of the goals.
func (r *Results) printStorage(w io.Writer) {
	fmt.Fprintf(w, "\n%s; %d CPUs, %s; medians of %d rounds of %g s; x = figure / kafka's\n\n", r.Time.Format("2006-01-02 15:04"), r.CPUs, r.Machine, r.Rounds, r.Seconds)
	table := [][]string{{"", "records/s", "x", "CPU µs/record", "x", "p50 ms", "p99 ms", "x", "ack p50 ms", "ack p99 ms", "RSS MB"}}
	for _, row := range r.Rows {
		table = append(table, []string{"**" + row.Name + "**"})
		var base []float64
		for _, col := range row.Columns {
			m := col.Median
			values := []float64{m.PerSecond, m.MicrosPerRequest, m.P99}
			if col.Contender == kafkaCached {
				base = values
			}
			cells := []string{col.Contender, figure(m.PerSecond), against(m.PerSecond, base, 0), figure(m.MicrosPerRequest), against(m.MicrosPerRequest, base, 1),
				figure(m.P50), figure(m.P99), against(m.P99, base, 2)}
			if m.AckP99 > 0 {
				cells = append(cells, figure(m.AckP50), figure(m.AckP99))
			} else {
				cells = append(cells, "", "")
			}
			table = append(table, append(cells, figure(m.ResidentMB)))
		}
	}
	printTable(w, table)
	fmt.Fprintln(w)
	for _, line := range r.goals() {
		fmt.Fprintln(w, line)
	}
}

// goals says of each goal whose rows were measured what became of it.
func (r *Results) goals() (lines []string) {
	for _, n := range []int{12, 100} {
		ottla, kafka := r.median(throughputRow(n), ottlaSynced), r.median(throughputRow(n), kafkaCached)
		if ottla != nil && kafka != nil {
			lines = append(lines, fmt.Sprintf("goal: synced Ottla beats Kafka's page cache, 1 KB, %d partitions: %s against %s records/s, x %.2f: %s",
				n, figure(ottla.PerSecond), figure(kafka.PerSecond), ratio(ottla.PerSecond, kafka.PerSecond), verdict(ottla.PerSecond > kafka.PerSecond)))
		}
	}
	one, many := r.median(rateRow(1), ottlaSynced), r.median(rateRow(1000), ottlaSynced)
	if one != nil && many != nil {
		lines = append(lines,
			fmt.Sprintf("goal: synced p99 end to end at 1,000 partitions is at most 5 times that at 1: %s against %s ms, x %.2f: %s",
				figure(many.P99), figure(one.P99), ratio(many.P99, one.P99), verdict(many.P99 <= 5*one.P99)),
			fmt.Sprintf("      the same of acknowledgements alone: %s against %s ms, x %.2f: %s",
				figure(many.AckP99), figure(one.AckP99), ratio(many.AckP99, one.AckP99), verdict(many.AckP99 <= 5*one.AckP99)))
	}
	return lines
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}

// median returns a contender's figures in a row, or nil.
func (r *Results) median(row, contender string) *Sample {
	for _, x := range r.Rows {
		if x.Name != row {
			continue
		}
		for _, c := range x.Columns {
			if c.Contender == contender {
				return &c.Median
			}
		}
	}
	return nil
}
