package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
)

// A Broker is a process under test, or the means to start one.
type Broker interface {
	// Name is "ottla" or "kafka".
	Name() string
	// Start starts it on an empty directory and returns when it answers requests.
	Start(ctx context.Context, dir string) (Started, error)
	// Again starts it where it was stopped or killed, and returns when it answers requests.
	Again(ctx context.Context) error
	// Stop ends it; its directory may be deleted then.
	Stop() error
	// Kill ends it at once, as a crash does.
	Kill()
	// PID is the process whose CPU and memory count.
	PID() int
	// Addr is where it listens for clients.
	Addr() string
	// Size is how many bytes its program has on disk.
	Size() (int64, error)
}

// longSession: a process that was paused for long is not to be taken for dead by its own controller. One that is killed must
// be, before it can come back.
const longSession = "broker.session.timeout.ms=3600000"

// properties are the settings that both brokers have beyond their defaults. None is on the path of a request.
var properties = []string{
	// Deleted topics are to leave the disk, and with it the page cache, before the next run: memory that was touched
	// before is cheaper to write to than fresh memory, on virtual machines by a factor.
	"log.segment.delete.delay.ms=1000",
	"log.retention.check.interval.ms=1000",
}

// A Contender is a broker together with what its topics are created with.
type Contender struct {
	Name    string
	Broker  Broker
	Configs map[string]string
}

// newBrokers returns the brokers that the options ask for; none is running.
func newBrokers(o Options) []Broker {
	var brokers []Broker
	var own []string
	if o.Partitions == 0 {
		own = append(own, longSession)
	}
	if !o.OttlaOnly {
		brokers = append(brokers, &Kafka{Properties: own})
	}
	if !o.KafkaOnly {
		brokers = append(brokers, &Ottla{Binary: o.Binary, Properties: own})
	}
	return brokers
}

// contenders returns the columns of the comparison: the first is what ratios are made against.
func contenders(o Options, brokers []Broker) []*Contender {
	var list []*Contender
	for _, b := range brokers {
		switch b.(type) {
		case *Kafka:
			list = append(list, &Contender{Name: "kafka", Broker: b})
			if o.KafkaSynced {
				list = append(list, &Contender{Name: "kafka synced", Broker: b, Configs: map[string]string{"flush.messages": "1"}})
			}
		case *Ottla:
			list = append(list, &Contender{Name: "ottla", Broker: b},
				&Contender{Name: "ottla cached", Broker: b, Configs: map[string]string{"write.caching": "true"}})
		}
	}
	return list
}

// freeAddr returns a port of loopback on which nobody listens.
func freeAddr() (string, error) {
	for range 100 {
		// Below the range from which operating systems take the ports of outgoing connections.
		addr := fmt.Sprintf("localhost:%d", 20000+rand.IntN(12000))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		return addr, l.Close()
	}
	return "", fmt.Errorf("found no free port")
}
