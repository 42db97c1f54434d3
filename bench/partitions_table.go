package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// processFacts is what the operating system says of a broker that has nothing to do.
type processFacts struct {
	resident, descriptors int64
	running               int64 // goroutines of Ottla, threads of Kafka
	idleCPU               float64
}

func (s *scale) lookAtProcess(ctx context.Context) (f processFacts, err error) {
	if err := pass(ctx, settle); err != nil {
		return f, err
	}
	pid := s.broker.PID()
	before, err := cpuTime(pid)
	if err != nil {
		return f, err
	}
	if err := pass(ctx, idleWatch); err != nil {
		return f, err
	}
	after, err := cpuTime(pid)
	if err != nil {
		return f, err
	}
	f.idleCPU = milliseconds(after-before) / idleWatch.Seconds()
	if f.resident, err = residentBytes(pid); err != nil {
		return f, err
	}
	if f.descriptors, err = openDescriptors(pid); err != nil {
		return f, err
	}
	if ottla, ok := s.broker.(*Ottla); ok {
		f.running, err = goroutines(ottla.HTTP())
		return f, err
	}
	f.running, err = threads(pid)
	return f, err
}

// goroutines asks Ottla how many it has.
func goroutines(addr string) (int64, error) {
	client := http.Client{Timeout: 10 * time.Second}
	rs, err := client.Get("http://" + addr + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		return 0, err
	}
	defer rs.Body.Close()
	text, err := io.ReadAll(rs.Body)
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n") // goroutine profile: total 17
	client.CloseIdleConnections()
	return strconv.ParseInt(first[strings.LastIndexByte(first, ' ')+1:], 10, 64)
}

func printScales(w io.Writer, o Options, scales []*scale) {
	fmt.Fprintf(w, "\n%d partitions in %d topics; records go to %d of them\n\n", o.Partitions, partitionTopics, o.Partitions/partitionTopics)
	table := [][]string{{""}}
	for _, s := range scales {
		table[0] = append(table[0], s.broker.Name())
	}
	for i, f := range scales[0].figures {
		row := []string{f.Name}
		for _, s := range scales {
			row = append(row, figure(s.figures[i].Value))
		}
		table = append(table, row)
	}
	printTable(w, table)
}

func writeScales(path string, scales []*scale) error {
	all := map[string]map[string]float64{}
	for _, s := range scales {
		of := map[string]float64{}
		for _, f := range s.figures {
			of[f.Name] = f.Value
		}
		all[s.broker.Name()] = of
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
