package conformance

import (
	"testing"
	"time"
)

// What consumers of a group do, with clients that speak both protocols. Where a step needs the broker to crash, the program
// prints `crash` and waits for a line.
var consumerSteps = []string{
	"join",           // a member alone has every partition; its group's type is told
	"rebalance",      // members come and go, each partition has one owner
	"commit",         // offsets with metadata are where they were after a crash; a member goes on there
	"seek",           // to an offset, to the beginning, the end, a time
	"pause",          // nothing comes of a paused partition, all of it after it was resumed
	"static-members", // who comes back has its partitions again, a twin is fenced
	"regex",          // a topic that is created later is found
	"crash-at-work",  // members go on after a crash: nothing is read twice, commits and rebalances work
}

func TestConsumersOfBothProtocols(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"classic", "consumer"} {
		for client, program := range map[string]func(*testing.T) program{
			"java":      func(t *testing.T) program { return javaProof(t, "Consumers") },
			"confluent": func(t *testing.T) program { return python(t, "confluent-kafka", "consumers_confluent.py") },
		} {
			t.Run(client+"/"+protocol, func(t *testing.T) {
				t.Parallel()
				p := program(t)
				tg := newTarget(t, consumerTimeouts...)
				if client == "confluent" && tg.nodes != nil {
					t.Skip("librdkafka 2.16.1 may die of a segmentation fault when the coordinator of a group that it has just left is killed: of KIP-848 groups with real Kafka too, of a classic one seen here")
				}
				p = p.on(tg).with("TOPIC="+tg.name("work"), "GROUP="+tg.name("workers"), "GROUP_PROTOCOL="+protocol)
				expectSteps(t, p.talk(t, 4*time.Minute, map[string]func(){"crash": func() { tg.crash(t) }}), consumerSteps)
			})
		}
	}
}
