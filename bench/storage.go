package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/ottla/ottla/internal/config"
)

// The rows of -storage are about one question: what does it cost that an acknowledgement means stable storage, and how does that
// grow with the number of partitions that are written to?

// partitionCounts are those that the rows of -storage write to. The goals are about 12 and 100, and 1 and 1,000.
var partitionCounts = []int{1, 12, 16, 100, 1000}

const (
	storageConnections = 16
	storageInFlight    = 5
	storageRate        = 1000 // records a second
)

func throughputRow(partitions int) string {
	return fmt.Sprintf("produce 1 KB, %s, %d connections, %d in flight", partitionsText(partitions), storageConnections, storageInFlight)
}

func rateRow(partitions int) string {
	return fmt.Sprintf("end to end, %s records/s, %s", thousands(strconv.Itoa(storageRate)), partitionsText(partitions))
}

func partitionsText(partitions int) string {
	if partitions == 1 {
		return "1 partition"
	}
	return thousands(strconv.Itoa(partitions)) + " partitions"
}

// storageRows returns the rows of -storage that -only asks for.
func storageRows(o Options) []*Work {
	var all []*Work
	for _, n := range partitionCounts {
		all = append(all, spreadWork(throughputRow(n), n, storageConnections, storageInFlight))
	}
	for _, n := range partitionCounts {
		all = append(all, spreadLatencyWork(rateRow(n), n, storageRate))
	}
	return slices.DeleteFunc(all, func(w *Work) bool { return !o.Only.MatchString(w.name) })
}

// journalSize is the property that turns Ottla's redo journal off when it is 0.
const journalSize = "redo.journal.bytes"

// The contenders of -storage. What Kafka does by default is "kafka": it answers from the page cache.
const (
	kafkaCached = "kafka"
	kafkaSynced = "kafka synced"
	ottlaSynced = "ottla"
	ottlaPlain  = "ottla no journal"
	ottlaCached = "ottla cached"
)

// storageContenders returns the brokers and contenders of -storage.
func storageContenders(o Options) (brokers []Broker, list []*Contender) {
	if !o.OttlaOnly {
		k := &Kafka{Properties: []string{longSession}}
		brokers = append(brokers, k)
		list = append(list, &Contender{Name: kafkaCached, Broker: k},
			&Contender{Name: kafkaSynced, Broker: k, Configs: map[string]string{"flush.messages": "1"}})
	}
	if o.KafkaOnly {
		return brokers, list
	}
	b := &Ottla{Binary: o.Binary, Properties: []string{longSession}}
	brokers, list = append(brokers, b), append(list, &Contender{Name: ottlaSynced, Broker: b})
	if hasProperty(journalSize) {
		plain := &Ottla{Binary: o.Binary, Variant: "no journal", Properties: []string{longSession, journalSize + "=0"}}
		brokers, list = append(brokers, plain), append(list, &Contender{Name: ottlaPlain, Broker: plain})
	}
	return brokers, append(list, &Contender{Name: ottlaCached, Broker: b, Configs: map[string]string{"write.caching": "true"}})
}

func hasProperty(name string) bool {
	for row := range config.BrokerRows() {
		if row.Name == name {
			return true
		}
	}
	return false
}

// measureStorage runs the rows and prints their table and the goals.
func measureStorage(ctx context.Context, o Options, dir string, works []*Work, results *Results) error {
	if len(works) == 0 {
		return errors.New("no row has a name that -only matches")
	}
	b := &bench{Options: o, dir: dir}
	b.brokers, b.contenders = storageContenders(o)
	if err := b.measureLoads(ctx, works, results); err != nil {
		return err
	}
	results.printStorage(os.Stdout)
	if o.JSON != "" {
		return results.writeJSON(o.JSON)
	}
	return nil
}
