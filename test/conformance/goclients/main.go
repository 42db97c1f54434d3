// The command goclients takes a Go client (kgo, sarama, kafka-go) through the beginner's course:
//
//	goclients CLIENT before|after
//
// or through transactions (goclients CLIENT transactions), or until SIGTERM is a member of a group (goclients kgo worker) or a
// producer (goclients kgo writer).
//
// It is a module of its own so that the clients are no dependencies of Ottla's. The steps and what they mean are those of
// ../python/course.py; $BOOTSTRAP, $TOPIC, $GROUP and $STATE say where.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(name, phase string) error {
	if phase == "transactions" {
		addr := os.Getenv("BOOTSTRAP")
		return runTransactions(context.Background(), map[string]transactional{"kgo": franzTransactions{addr}, "sarama": saramaTransactions{addr}}[name])
	}
	switch phase {
	case "worker":
		return runFranzWorker()
	case "writer":
		return runFranzWriter()
	}
	clients := map[string]func(addr string) (client, error){"kgo": newFranz, "sarama": newSarama, "kafka-go": newSegmentio}
	open, known := clients[name]
	if !known {
		return fmt.Errorf("no client %q", name)
	}
	cl, err := open(os.Getenv("BOOTSTRAP"))
	if err != nil {
		return err
	}
	c := &course{client: cl, topic: os.Getenv("TOPIC"), group: os.Getenv("GROUP")}
	if phase == "after" {
		text, err := os.ReadFile(os.Getenv("STATE"))
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &c.state); err != nil {
			return err
		}
		return walk(c.after())
	}
	if err := walk(c.before()); err != nil {
		return err
	}
	text, err := json.Marshal(c.state)
	if err != nil {
		return err
	}
	return os.WriteFile(os.Getenv("STATE"), text, 0o644)
}

type step struct {
	name string
	do   func(context.Context) error
}

// walk prints one line per step and stops at the first that fails.
func walk(steps []step) error {
	for _, s := range steps {
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		err := s.do(ctx)
		cancel()
		if err != nil {
			fmt.Printf("not ok %s: %v\n", s.name, err)
			return err
		}
		fmt.Printf("ok %s\n", s.name)
		fmt.Fprintf(os.Stderr, "%s: %v\n", s.name, time.Since(start).Round(time.Millisecond))
	}
	return nil
}
