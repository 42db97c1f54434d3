package differential

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ottla/ottla/test/harness"
	"github.com/ottla/ottla/test/realkafka"
)

// properties are those of both brokers. The logs keep what tests write with old timestamps, but for topics that say
// otherwise: retention comes often.
var properties = []string{
	"node.id=1",
	"offsets.topic.num.partitions=4",
	"transaction.state.log.num.partitions=4",
	"transaction.abort.timed.out.transaction.cleanup.interval.ms=200",
	"log.retention.ms=-1",
	"log.retention.check.interval.ms=200",
	"log.initial.task.delay.ms=0",
	"group.max.size=3",
	"group.initial.rebalance.delay.ms=0",
	"group.consumer.assignment.interval.ms=0",
	"group.streams.assignment.interval.ms=0",
	"group.streams.initial.rebalance.delay.ms=0",
	"process.roles=broker,controller",
	"offsets.topic.replication.factor=1",
	"transaction.state.log.replication.factor=1",
	"transaction.state.log.min.isr=1",
	"share.coordinator.state.topic.replication.factor=1",
	"share.coordinator.state.topic.min.isr=1",
}

// served are the APIs that must be compared in every version.
var served = []string{
	"Produce", "Fetch", "ListOffsets", "Metadata", "OffsetCommit", "OffsetFetch", "FindCoordinator", "JoinGroup", "SyncGroup",
	"Heartbeat", "LeaveGroup", "DescribeGroups", "ListGroups", "DeleteGroups", "OffsetDelete", "ApiVersions", "CreateTopics",
	"DeleteTopics", "CreatePartitions", "DeleteRecords", "InitProducerId", "OffsetForLeaderEpoch", "DescribeConfigs", "AlterConfigs",
	"IncrementalAlterConfigs", "ListPartitionReassignments", "DescribeCluster", "DescribeTopicPartitions", "DescribeLogDirs",
	"AlterReplicaLogDirs", "ListConfigResources", "AddPartitionsToTxn", "AddOffsetsToTxn", "EndTxn", "DescribeTransactions",
	"ListTransactions", "DescribeProducers", "WriteTxnMarkers", "TxnOffsetCommit", "ConsumerGroupHeartbeat", "ConsumerGroupDescribe",
	"StreamsGroupHeartbeat", "StreamsGroupDescribe", "ElectLeaders", "AlterPartitionReassignments", "UpdateFeatures", "AddRaftVoter", "RemoveRaftVoter",
}

func TestSameAnswers(t *testing.T) {
	scenarios := scenariosFor(t, "testdata")
	kafka, ottla := startBoth(t, properties)
	var used usage
	t.Run("scenarios", func(t *testing.T) {
		for _, s := range scenarios {
			if s.Alone {
				t.Run(s.File+"/"+s.Name, func(t *testing.T) { used.check(t, s, kafka, ottla) })
			}
		}
		for _, s := range scenarios {
			if !s.Alone {
				t.Run(s.File+"/"+s.Name, func(t *testing.T) {
					t.Parallel()
					if answer := disturbed(used.check(t, s, kafka, ottla)); answer != "" {
						t.Errorf("%s depends on what other producers do in Kafka: the scenario has to be alone", answer)
					}
				})
			}
		}
	})
	used.report(t, len(scenarios))
}

// needKafka skips the test where real Kafka cannot run.
func needKafka(t *testing.T) {
	t.Helper()
	if err := realkafka.Missing(); err != nil {
		if os.Getenv("OTTLA_TEST_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// scenariosFor reads those of a folder, if real Kafka can run them.
func scenariosFor(t *testing.T, folder string) []*Scenario {
	t.Helper()
	needKafka(t)
	scenarios, err := readScenarios(os.DirFS(folder))
	if err != nil {
		t.Fatal(err)
	}
	return scenarios
}

// otherProperties are those of the brokers that answer testdata/settings: versions that are not stable yet, and offsets that
// expire under the eyes of the test.
var otherProperties = append(slices.Clone(properties),
	"unstable.api.versions.enable=true",
	"transaction.two.phase.commit.enable=true",
	"offsets.retention.check.interval.ms=100",
)

// TestSameAnswersWithOtherSettings is TestSameAnswers for what only brokers with other settings show.
func TestSameAnswersWithOtherSettings(t *testing.T) {
	scenarios := scenariosFor(t, "testdata/settings")
	kafka, ottla := startBoth(t, otherProperties)
	var used usage
	for _, s := range scenarios {
		t.Run(s.File+"/"+s.Name, func(t *testing.T) { used.check(t, s, kafka, ottla) })
	}
	t.Logf("%d scenarios, %d answers, %d fields compared", used.mu.scenarios, used.mu.answers, used.mu.fields)
}

// startBoth returns the addresses of real Kafka and of Ottla (or of a second real Kafka), ready for the first scenario.
func startBoth(t *testing.T, properties []string) (kafka, ottla string) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	startKafka := func() string {
		c, err := realkafka.Start(ctx, t.TempDir(), 1, properties...)
		if err != nil {
			t.Error(err)
			return ""
		}
		t.Cleanup(c.Kill)
		return c.Addr
	}
	var both sync.WaitGroup
	both.Go(func() { kafka = startKafka() })
	if os.Getenv("OTTLA_DIFFERENTIAL_SELF") == "1" {
		both.Go(func() { ottla = startKafka() })
	} else {
		// Kafka's cluster of the test has a static quorum; a lone Ottla would be a dynamic one.
		ottla = harness.Start(t, append([]string{"controller.quorum.voters=1@localhost:9"}, properties...)...).Addr
	}
	both.Wait()
	if t.Failed() {
		t.FailNow()
	}
	warm := &Scenario{Commands: []Command{
		{Verb: "group", Rest: "first"}, {Verb: "group", Rest: "second"}, {Verb: "group", Rest: "third"}, {Verb: "group", Rest: "fourth"},
		{Verb: "txn", Rest: "a"}, {Verb: "txn", Rest: "b"}, {Verb: "txn", Rest: "c"}, {Verb: "txn", Rest: "d"},
		{Verb: "wait", Rest: "InitProducerId 4 {TransactionalId: null, TransactionTimeoutMs: 1000} ErrorCode = NONE"},
	}}
	for _, addr := range []string{kafka, ottla} {
		both.Go(func() {
			if _, err := play(warm, addr, time.Now()); err != nil {
				t.Errorf("%s is not ready: %v", addr, err)
			}
		})
	}
	both.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return kafka, ottla
}

// usage counts what was compared and which allowances were needed.
type usage struct {
	allowances []Allowance // nil: Allowed
	mu         struct {
		sync.Mutex
		answers, fields, scenarios int
		allowed                    map[int]int
		asked                      map[string]map[int16]bool // API and version that had a proper answer
	}
}

// check plays a scenario on both brokers and compares; it returns the transcript of Kafka.
func (u *usage) check(t *testing.T, s *Scenario, kafka, ottla string) []Step {
	now := time.Now()
	return u.judge(t, s, func() ([]Step, error) { return play(s, kafka, now) }, func() ([]Step, error) { return play(s, ottla, now) })
}

// judge has both play a scenario, compares, and returns the transcript of Kafka.
func (u *usage) judge(t *testing.T, s *Scenario, kafka, ottla func() ([]Step, error)) []Step {
	var both sync.WaitGroup
	var ours []Step
	var ourErr error
	both.Go(func() { ours, ourErr = ottla() })
	theirs, err := kafka()
	both.Wait()
	if err != nil {
		t.Errorf("on Kafka: %v", err)
	}
	if ourErr != nil {
		t.Errorf("on Ottla: %v", ourErr)
	}
	var faults []Difference
	for _, d := range compare(s.File+"/"+s.Name, theirs, ours) {
		if !u.allows(d) {
			faults = append(faults, d)
		}
	}
	for _, d := range fold(faults) {
		t.Error(d)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.mu.scenarios++
	u.mu.answers += len(theirs)
	for _, step := range theirs {
		u.mu.fields += len(step.Leaves)
		u.note(step)
		if os.Getenv("OTTLA_DIFFERENTIAL_SHOW") == "1" {
			t.Log(show(step))
		}
	}
	return theirs
}

// note remembers that a version was answered. u.mu is held.
func (u *usage) note(s Step) {
	if outcomeOf(s) != "an answer" {
		return
	}
	if u.mu.asked == nil {
		u.mu.asked = map[string]map[int16]bool{}
	}
	if u.mu.asked[s.API] == nil {
		u.mu.asked[s.API] = map[int16]bool{}
	}
	u.mu.asked[s.API][s.Version] = true
}

func show(s Step) string {
	text := fmt.Sprintf("line %d: %s v%d %s", s.Line, s.API, s.Version, s.Asked)
	for _, leaf := range s.Leaves {
		text += fmt.Sprintf("\n    %s = %s", leaf.Path, leaf.Value)
	}
	return text
}

func (u *usage) allows(d Difference) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	list := u.allowances
	if list == nil {
		list = Allowed
	}
	for i, a := range list {
		if a.fits(d) {
			if u.mu.allowed == nil {
				u.mu.allowed = map[int]int{}
			}
			u.mu.allowed[i]++
			return true
		}
	}
	return false
}

// report says what was compared, and fails for allowances that nothing needed, unless -run left scenarios out.
func (u *usage) report(t *testing.T, all int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	t.Logf("%d scenarios, %d answers, %d fields compared; %d kinds of differences allowed", u.mu.scenarios, u.mu.answers, u.mu.fields, len(Allowed))
	if u.mu.scenarios < all || os.Getenv("OTTLA_DIFFERENTIAL_SELF") == "1" {
		return
	}
	for _, name := range served {
		api, err := apiNamed(name)
		if err != nil {
			t.Error(err)
		}
		for v := api.Min; v <= api.Max; v++ {
			if !u.mu.asked[name][v] {
				t.Errorf("no scenario asks %s in version %d", name, v)
			}
		}
	}
	for i, a := range Allowed {
		if u.mu.allowed[i] == 0 && !a.byChance() {
			t.Errorf("no difference needs this allowance any more: %+v", a)
		}
	}
}
