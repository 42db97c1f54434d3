package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

// Options are the command line.
type Options struct {
	Rounds  int
	Seconds float64
	Only    *regexp.Regexp
	// OttlaOnly and KafkaOnly leave the other one out; KafkaSynced adds Kafka with flush.messages=1.
	OttlaOnly, KafkaOnly, KafkaSynced bool
	Binary, JSON, Profile, Dir        string
	List                              bool
	// Partitions asks for the other benchmark, that of many partitions; Data is how much the restart there finds.
	Partitions int
	Data       float64
	// Storage asks for the rows that compare ways to make records safe.
	Storage bool
	// Cluster asks for three nodes instead of one.
	Cluster bool
}

func parseOptions() (Options, error) {
	var o Options
	only := flag.String("only", "", "run the rows whose name matches this regular expression")
	flag.IntVar(&o.Rounds, "rounds", 3, "rounds; every figure is the median over them")
	flag.Float64Var(&o.Seconds, "seconds", 3, "length of one measurement")
	flag.BoolVar(&o.OttlaOnly, "ottla-only", false, "leave real Kafka out")
	flag.BoolVar(&o.KafkaOnly, "kafka-only", false, "leave Ottla out")
	flag.BoolVar(&o.KafkaSynced, "kafka-synced", false, "also run Kafka with flush.messages=1, which syncs every batch")
	flag.StringVar(&o.Binary, "ottla", "bin/ottla", "the binary to measure")
	flag.StringVar(&o.JSON, "json", "", "write all samples and medians to this file")
	flag.StringVar(&o.Profile, "profile", "", "after the rounds, profile Ottla in every row, into this directory")
	flag.StringVar(&o.Dir, "dir", "", "directory for the brokers' data (default: the temporary directory)")
	flag.BoolVar(&o.List, "list", false, "list the rows and end")
	flag.IntVar(&o.Partitions, "partitions", 0, "measure so many partitions instead of the rows, e.g. 10000")
	flag.Float64Var(&o.Data, "data", 2, "with -partitions: GB of records at the restart that is measured")
	flag.BoolVar(&o.Storage, "storage", false, "measure synced acknowledgements over few and many partitions instead of the rows")
	flag.BoolVar(&o.Cluster, "cluster", false, "measure three nodes instead of the rows; -only matches throughput, latency, memory, failover")
	flag.Parse()
	if flag.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if o.Rounds < 1 || o.Seconds <= 0 {
		return o, fmt.Errorf("-rounds %d and -seconds %g must be positive", o.Rounds, o.Seconds)
	}
	if o.Partitions%partitionTopics != 0 || o.Partitions < 0 {
		return o, fmt.Errorf("-partitions %d must be a multiple of %d", o.Partitions, partitionTopics)
	}
	if o.OttlaOnly && o.KafkaOnly {
		return o, fmt.Errorf("-ottla-only and -kafka-only exclude each other")
	}
	var err error
	o.Only, err = regexp.Compile(*only)
	return o, err
}

// Duration is the length of one measurement.
func (o Options) Duration() time.Duration { return time.Duration(o.Seconds * float64(time.Second)) }

func main() {
	log.SetFlags(log.Ltime)
	o, err := parseOptions()
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		stop()
		log.Fatal(err)
	}
}

func run(ctx context.Context, o Options) error {
	works := rows(o)
	if o.Storage {
		works = storageRows(o)
	}
	if o.List {
		for _, w := range works {
			fmt.Println(w.Name())
		}
		return nil
	}
	if o.Partitions > 0 {
		return runPartitions(ctx, o)
	}
	if o.Cluster {
		return runCluster(ctx, o)
	}
	dir, err := os.MkdirTemp(o.Dir, "ottla-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	results := newResults(o)
	if o.Storage {
		return measureStorage(ctx, o, dir, works, results)
	}
	if err := measureStarts(ctx, o, dir, results); err != nil {
		return err
	}
	if len(works) > 0 {
		if err := measureLoads(ctx, o, dir, works, results); err != nil {
			return err
		}
	}
	results.print(os.Stdout)
	if o.JSON != "" {
		return results.writeJSON(o.JSON)
	}
	return nil
}
